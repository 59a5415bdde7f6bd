import pytest
from aiortc.rtp import RtcpPacket, RtcpPsfbPacket, RtcpRrPacket, RtcpRtpfbPacket, RtcpSdesPacket, RtcpSrPacket
from hypothesis import given
from hypothesis import strategies as st

from webrtc.errors import InvalidPacket
from webrtc.rtp.rtcp import (
    FullIntraRequest,
    Goodbye,
    MaximumBitrate,
    Nack,
    Packet,
    PictureLossIndication,
    ReceiverReport,
    ReportBlock,
    SenderReport,
    SourceDescription,
    compound,
    parse,
)

BLOCK = ReportBlock(ssrc=7, fraction_lost=12, lost=-3, highest=0x12345, jitter=99, last_sr=0xABCDEF01, delay=65536)
EVERY = (
    SenderReport(ssrc=1, ntp=0xE000000080000000, rtp=90_000, packets=10, octets=1000, reports=(BLOCK,)),
    ReceiverReport(ssrc=2, reports=(BLOCK, BLOCK)),
    ReceiverReport(ssrc=2),
    SourceDescription(ssrc=3, cname="abc"),
    SourceDescription(ssrc=3, cname="abcd"),
    Goodbye(ssrcs=(4, 5)),
    Nack.of(ssrc=6, media=7, lost=(65534, 65535, 0, 14, 15, 100)),
    PictureLossIndication(ssrc=8, media=9),
    FullIntraRequest(ssrc=10, media=11, number=255),
    MaximumBitrate(ssrc=12, bitrate_bps=1_500_000, media=(13, 14)),
)


@pytest.mark.parametrize("packet", EVERY)
def test_packet_is_read_as_it_was_written(packet: Packet) -> None:
    assert parse(packet.to_bytes()) == (packet,)


def test_compound_packet_is_read_whole() -> None:
    assert parse(compound(EVERY)) == EVERY


def test_another_implementation_reads_ours() -> None:
    kinds = [type(packet) for packet in RtcpPacket.parse(compound(EVERY[:4] + EVERY[6:]))]
    assert kinds == [
        RtcpSrPacket, RtcpRrPacket, RtcpRrPacket, RtcpSdesPacket, RtcpRtpfbPacket, *[RtcpPsfbPacket] * 3,
    ]  # fmt: skip


def test_nack_is_packed_into_pairs() -> None:
    nack = RtcpPacket.parse(EVERY[6].to_bytes())[0]
    assert isinstance(nack, RtcpRtpfbPacket)
    assert [number & 0xFFFF for number in nack.lost] == [65534, 65535, 0, 14, 15, 100]
    assert len(EVERY[6].to_bytes()) == 12 + 3 * 4


@given(st.sets(st.integers(0, 3000)), st.integers(0, 0xFFFF))
def test_nack_names_what_it_was_made_of(ahead: set[int], first: int) -> None:
    lost = [(first + each) & 0xFFFF for each in sorted(ahead)]
    [read] = parse(Nack.of(ssrc=1, media=2, lost=lost).to_bytes())
    assert isinstance(read, Nack)
    assert list(read.lost) == lost


def test_unknown_kinds_are_left_out() -> None:
    extended_report = bytes.fromhex("80cf000100000001")
    temporary_bitrate = bytes.fromhex("83cd00040000000100000002" + "0000000000000000")
    assert parse(extended_report + temporary_bitrate + EVERY[7].to_bytes()) == (EVERY[7],)


@pytest.mark.parametrize(
    "datagram",
    ["80", "80c90001", "40c9000100000001", "81c9000100000001", "80c8000100000001", "81cb0000", "81ca000100000001"],
)
def test_broken_packet_is_invalid(datagram: str) -> None:
    with pytest.raises(InvalidPacket):
        parse(bytes.fromhex(datagram))


@given(
    st.binary(max_size=120)
    | st.builds(
        lambda i, at, new: _broken(EVERY[i], at, new), st.integers(0, 9), st.integers(0, 200), st.binary(max_size=3)
    )
)
def test_any_datagram_is_read_or_invalid(datagram: bytes) -> None:
    try:
        parse(datagram)
    except InvalidPacket:
        pass


def _broken(packet: Packet, at: int, new: bytes) -> bytes:
    whole = packet.to_bytes()
    return whole[: at % len(whole)] + new + whole[at % len(whole) + len(new) :]
