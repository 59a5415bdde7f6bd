"""Who is really at the other end: the peer, or whom a trusted proxy in front of us names."""

from collections.abc import Sequence
from ipaddress import ip_address

from aiohttp import web

from controller.config import IPNetwork

UNKNOWN_ADDRESS = "unknown"


def address_of(request: web.Request, trusted: Sequence[IPNetwork]) -> str:
    """The client's address, for throttling."""
    return client_address(request.remote, request.headers.getall("X-Forwarded-For", []), trusted)


def client_address(peer: str | None, forwarded: Sequence[str], trusted: Sequence[IPNetwork]) -> str:
    """The last address in the chain that no trusted proxy has. What stands before it, its sender may have made up.

    `forwarded`: the X-Forwarded-For headers in order, each with one or more addresses separated by commas.
    """
    chain = [each.strip() for header in forwarded for each in header.split(",")] + [peer or UNKNOWN_ADDRESS]
    client = chain.pop()
    while chain and _is_trusted(client, trusted) and _is_address(chain[-1]):
        client = chain.pop()
    return client


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _is_trusted(text: str, trusted: Sequence[IPNetwork]) -> bool:
    return _is_address(text) and any(ip_address(text) in network for network in trusted)
