"""What a projector says of itself, as a device."""

from dataclasses import replace

import pytest

from devices.device import DeviceAddress, DeviceId
from devices.gateways.pjlink import Description, PJLinkGateway
from tests.devices.nativedevice import SCHOOL

ADDRESS = DeviceAddress(
    device_id=DeviceId("d1"), namespace=SCHOOL, gateway="pjlink", host="10.0.0.7", port=4352, password="secret"
)
FULL = Description(
    protocol_class=2,
    inputs={"11": "VGA", "31": "HDMI 1"},
    lamps=2,
    freeze=True,
    filter=True,
    manufacturer="Epson",
    model="EB-X06",
    name="Beamer 3A",
    complete=True,
)


def names(description: bytes) -> list[str]:
    return [each.name for each in PJLinkGateway().driver(ADDRESS, description).device.properties]


def test_a_description_is_what_was_written() -> None:
    assert Description.of(FULL.to_json()) == FULL


@pytest.mark.parametrize("payload", [b"", b"[]", b"\xff", b'{"unknown": 1}', b"7"])
def test_what_nobody_understands_is_any_projector(payload: bytes) -> None:
    assert Description.of(payload) == Description()


def test_a_projector_has_what_it_says_that_it_has() -> None:
    assert names(b"") == ["power"]
    assert names(FULL.to_json())[:9] == [
        "power",
        "av_source",
        "av_mute",
        "av_mute.picture",
        "av_mute.sound",
        "av_mute.freeze",
        "consumable.lamp_hours",
        "consumable.lamp_2_hours",
        "consumable.filter_hours",
    ]
    assert names(replace(FULL, inputs={}, lamps=0, mute=False, freeze=False, filter=False).to_json())[:2] == [
        "power",
        "health",
    ]


@pytest.mark.parametrize(
    ("given", "own", "called"),
    [("Máy chiếu lớn", "Beamer 3A", "Máy chiếu lớn"), ("", "Beamer 3A", "Beamer 3A"), ("", "", "Epson EB-X06")],
)
def test_a_persons_name_for_it_comes_first(given: str, own: str, called: str) -> None:
    description = replace(FULL, name=own).to_json()
    assert PJLinkGateway().driver(replace(ADDRESS, name=given), description).device.name == called


@pytest.mark.parametrize(
    ("host", "source"),
    [("10.0.0.7", "sc/1/le-loi/pjlink/10.0.0.7:4352"), ("fd00::7", "sc/1/le-loi/pjlink/[fd00::7]:4352")],
)
def test_an_address_has_a_topic_for_its_problems_and_hides_its_password(host: str, source: str) -> None:
    address = replace(ADDRESS, host=host)
    assert address.source == source
    assert "secret" not in repr(address) + str(address)
