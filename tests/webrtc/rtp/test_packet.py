import pytest
from hypothesis import given
from hypothesis import strategies as st

from webrtc.errors import InvalidPacket
from webrtc.forwarding.engine import Engine
from webrtc.forwarding.engines import installed
from webrtc.rtp.packet import Elements, extend, is_rtcp, strip_redundancy, unwrap_rtx

HEADER = bytes.fromhex("80e0123400000bb8cafebabe")


@pytest.mark.parametrize(
    ("number", "near", "extended"),
    [(5, 0x10004, 0x10005), (0xFFFF, 0x10000, 0xFFFF), (0, 0x1FFFF, 0x20000), (0x8001, 0x10000, 0x8001), (7, 7, 7)],
)
def test_sequence_numbers_extend_across_the_wrap(number: int, near: int, extended: int) -> None:
    assert extend(number, near) == extended


@pytest.mark.parametrize(
    ("packet", "expected"),
    [
        (HEADER + b"media", HEADER + b"media"),
        (b"\x90" + HEADER[1:] + bytes.fromhex("bede000110ff0000") + b"media", HEADER + b"media"),
        (b"\x82" + HEADER[1:] + bytes(8) + b"media", HEADER + b"media"),
        (b"\xa0" + HEADER[1:] + b"media\0\0\3", HEADER + b"media"),
        (b"\xa0" + HEADER[1:] + b"\0\0\0\4", HEADER),
    ],
)
def test_plain_leaves_header_and_payload(packet: bytes, expected: bytes) -> None:
    for each in installed.values():
        assert each.open_packet(memoryview(packet))[0] == expected


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        HEADER[:11],
        b"\x40" + HEADER[1:],
        b"\x90" + HEADER[1:],
        b"\x90" + HEADER[1:] + bytes.fromhex("bede0009"),
        b"\x8f" + HEADER[1:],
        b"\xa0" + HEADER[1:] + b"\0",
        b"\xa0" + HEADER[1:] + b"\x20",
    ],
)
def test_plain_refuses_what_contradicts_itself(packet: bytes) -> None:
    for each in installed.values():
        with pytest.raises(InvalidPacket):
            each.open_packet(memoryview(packet))


@pytest.mark.parametrize(("second", "control"), [(72, False), (191, False), (192, True), (200, True), (224, False)])
def test_rtcp_is_known_by_its_type(second: int, control: bool) -> None:
    assert is_rtcp(bytes((0x80, second))) == control


def opened(each: Engine, datagram: bytes) -> tuple[bytes, Elements] | None:
    try:
        return each.open_packet(memoryview(datagram))
    except InvalidPacket:
        return None


@given(st.one_of(st.just(0x90), st.integers(0x80, 0xBF)), st.binary(max_size=30), st.binary(max_size=80))
def test_any_datagram_is_plain_or_invalid_to_all_engines_alike(first: int, elements: bytes, rest: bytes) -> None:
    extension = b"\xbe\xde" + (len(elements) // 4).to_bytes(2, "big") + elements
    for datagram in (rest, bytes((first,)) + rest, bytes((first,)) + HEADER[1:] + extension + rest):
        results = [opened(each, datagram) for each in installed.values()]
        assert all(result == results[0] for result in results)
        assert results[0] is None or results[0][0][0] == 0x80


@pytest.mark.parametrize(
    ("extension", "elements"),
    [
        ("bede0001" + "10ff0000", {1: b"\xff"}),
        ("bede0002" + "31123400" + "10850000", {3: b"\x12\x34", 1: b"\x85"}),
        ("bede0001" + "00004071", {4: b"q"}),
        ("bede0001" + "f0aa10ff", {}),  # 15 ends the list
        ("bede0001" + "1fffffff", {}),  # longer than the extension
        ("10000001" + "0101ff00", {}),  # the two-byte form was not agreed on
    ],
)
def test_elements_of_the_header_extension_are_read(extension: str, elements: dict[int, bytes]) -> None:
    packet = b"\x90" + HEADER[1:] + bytes.fromhex(extension) + b"media"
    for each in installed.values():
        assert each.open_packet(memoryview(packet)) == (HEADER + b"media", elements)


def test_retransmission_is_unwrapped() -> None:
    assert (
        unwrap_rtx(HEADER + b"\x43\x21media", ssrc=7, payload_type=96)
        == bytes.fromhex("80e0432100000bb800000007") + b"media"
    )
    assert unwrap_rtx(HEADER, ssrc=7, payload_type=96) is None


@pytest.mark.parametrize(
    ("payload", "primary"),
    [
        ("6f" + "aabb", "aabb"),
        ("ef000002" + "6f" + "1111" + "aabb", "aabb"),
        ("ef000001" + "ef000002" + "6f" + "11" + "2222" + "aabb", "aabb"),
        ("ef000002" + "6f" + "1111", ""),
        ("ef000009" + "6f" + "1111", None),
        ("ef0000", None),
    ],
)
def test_redundancy_is_stripped(payload: str, primary: str | None) -> None:
    expected = None if primary is None else HEADER + bytes.fromhex(primary)
    assert strip_redundancy(HEADER + bytes.fromhex(payload)) == expected
