"""The broker's address as devices need it."""

import pytest

from controller.broker.address import DeviceAddress, Entrance, Reach
from controller.config.model import Address


@pytest.mark.parametrize(
    ("listen", "public", "asked", "host", "reach"),
    [
        ("192.168.20.2", "", "127.0.0.1", "192.168.20.2", Reach.NETWORK),
        ("192.168.20.2", "truong.vn", "truong.vn", "192.168.20.2", Reach.NETWORK),
        ("mqtt.so.vn", "", "127.0.0.1", "mqtt.so.vn", Reach.NETWORK),
        ("0.0.0.0", "truong.vn", "10.0.0.5", "truong.vn", Reach.NETWORK),
        ("0.0.0.0", "", "10.0.0.5", "10.0.0.5", Reach.NETWORK),
        ("::", "", "fd00::5", "fd00::5", Reach.NETWORK),
        ("0.0.0.0", "", "localhost", "", Reach.NETWORK),
        ("0.0.0.0", "localhost", "10.0.0.5", "10.0.0.5", Reach.NETWORK),
        ("127.0.0.1", "truong.vn", "truong.vn", "127.0.0.1", Reach.MACHINE),
        ("127.0.0.2", "", "10.0.0.5", "127.0.0.2", Reach.MACHINE),
        ("::1", "", "10.0.0.5", "::1", Reach.MACHINE),
        ("localhost", "", "10.0.0.5", "localhost", Reach.MACHINE),
    ],
)
def test_devices_are_told_what_they_can_reach(listen: str, public: str, asked: str, host: str, reach: Reach) -> None:
    entrance = Entrance(listen=Address(listen, 1884), tls=True, public_host=public)
    assert entrance.for_devices(asked) == DeviceAddress(host=host, port=1884, tls=True, reach=reach)
