"""Addresses of the other end: one form for each, and the network that one customer of a provider has."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

IPAddress = IPv4Address | IPv6Address
IPNetwork = IPv4Network | IPv6Network

_MAPPED = ip_network("::ffff:0:0/96")


def parse_address(text: str) -> IPAddress | None:
    """What a socket that takes both families calls `::ffff:192.0.2.1` is 192.0.2.1. None: this is no address."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def plain_network(network: IPNetwork) -> IPNetwork:
    """The same in IPv4 where it is written as one of mapped addresses."""
    if isinstance(network, IPv6Network) and isinstance(_MAPPED, IPv6Network) and network.subnet_of(_MAPPED):
        first = network.network_address.ipv4_mapped
        return ip_network((str(first), network.prefixlen - _MAPPED.prefixlen))
    return network


def network_of(address: str) -> str:
    """What limits count by: an IPv4 address, or the /64 of an IPv6 address; any other text as it is."""
    parsed = parse_address(address)
    if parsed is None:
        return address
    return str(ip_network((parsed, 64), strict=False)) if isinstance(parsed, IPv6Address) else str(parsed)
