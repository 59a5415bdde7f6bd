from ipaddress import ip_network

import pytest

from controller.network import network_of, plain_network
from controller.web.remote import client_address

TRUSTED = (ip_network("10.0.0.0/8"), ip_network("127.0.0.1"))


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("203.0.113.5", [], "203.0.113.5"),
        ("203.0.113.5", ["198.51.100.1"], "203.0.113.5"),  # not from a proxy of ours: made up
        ("10.0.0.2", ["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.2", ["192.0.2.66, 198.51.100.1"], "198.51.100.1"),  # the first one is what the client said of itself
        ("127.0.0.1", ["198.51.100.1, 10.0.0.2"], "198.51.100.1"),
        ("127.0.0.1", ["198.51.100.1", "10.0.0.2"], "198.51.100.1"),
        ("10.0.0.2", ["rubbish"], "10.0.0.2"),
        ("10.0.0.2", [""], "10.0.0.2"),
        ("::ffff:127.0.0.1", ["198.51.100.1"], "198.51.100.1"),  # as a socket of both families says it
        ("::ffff:10.1.2.3", ["::ffff:198.51.100.1"], "198.51.100.1"),
        ("::ffff:203.0.113.5", ["198.51.100.1"], "203.0.113.5"),
        ("fe80::1%eth0", ["198.51.100.1"], "fe80::1"),
        (None, ["198.51.100.1"], "unknown"),
    ],
)
def test_the_client_is_the_last_one_that_is_no_proxy_of_ours(
    peer: str | None, forwarded: list[str], expected: str
) -> None:
    assert client_address(peer, forwarded, TRUSTED) == expected


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.5", "203.0.113.5"),
        ("::ffff:203.0.113.5", "203.0.113.5"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::ffff", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unknown", "unknown"),
    ],
)
def test_limits_count_by_what_one_customer_has(address: str, network: str) -> None:
    assert network_of(address) == network


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
        ("::ffff:127.0.0.1/128", "127.0.0.1/32"),
        ("2001:db8::/32", "2001:db8::/32"),
        ("10.0.0.0/8", "10.0.0.0/8"),
        ("::/0", "::/0"),
    ],
)
def test_a_network_of_mapped_addresses_is_one_of_ipv4(written: str, plain: str) -> None:
    assert plain_network(ip_network(written)) == ip_network(plain)
