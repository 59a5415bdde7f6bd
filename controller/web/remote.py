"""Who is really at the other end: the peer, or whom a trusted proxy in front of us names."""

import resource
from collections.abc import Sequence

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from controller.network import IPNetwork, network_of, parse_address
from webrtc.shared.idle_connections import IdleConnections, Limits

UNKNOWN_ADDRESS = "unknown"
MOST_IDLE = 4096  # connections; and a quarter of the files that the process may open
MOST_IDLE_OF_A_NETWORK = 512  # a school behind one address


def address_of(request: web.Request, trusted: Sequence[IPNetwork]) -> str:
    """The client's address, for throttling."""
    return client_address(request.remote, request.headers.getall("X-Forwarded-For", []), trusted)


def client_address(peer: str | None, forwarded: Sequence[str], trusted: Sequence[IPNetwork]) -> str:
    """The last address in the chain that no trusted proxy has. What stands before it, its sender may have made up.

    `forwarded`: the X-Forwarded-For headers in order, each with one or more addresses separated by commas.
    """
    chain = [each.strip() for header in forwarded for each in header.split(",")] + [peer or UNKNOWN_ADDRESS]
    client = chain.pop()
    while chain and is_trusted(client, trusted) and parse_address(chain[-1]) is not None:
        client = chain.pop()
    return str(parse_address(client) or client)


def is_trusted(text: str | None, trusted: Sequence[IPNetwork]) -> bool:
    """Whether that is the address of a proxy of ours."""
    address = parse_address(text or "")
    return address is not None and any(address in network for network in trusted)


def idle_connections(trusted: Sequence[IPNetwork]) -> IdleConnections:
    """For the controller's own port. A proxy's connections are those of many."""

    def network(connection: RequestHandler) -> str | None:
        peer = connection.peername
        if not isinstance(peer, tuple) or is_trusted(peer[0], trusted):
            return None
        return network_of(peer[0])

    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = min(MOST_IDLE, files // 4) if files > 0 else MOST_IDLE
    limits = Limits(most=most, most_per_network=min(MOST_IDLE_OF_A_NETWORK, most // 2))
    return IdleConnections(limits, network)
