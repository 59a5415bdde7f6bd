"""Whatever the octets: what reads a peer's words returns or refuses, and keeps no more than it may."""

import json
import pickle
import random
import tracemalloc

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.webrtc.hostile import rich_offer
from tests.webrtc.sdp.test_offer import OFFERS
from webrtc.bridge.token_bucket import TokenBucket
from webrtc.errors import InvalidPacket, InvalidSdp, UnsupportedSdp
from webrtc.estimation.bottleneck import MAX_SPANS, Delivery
from webrtc.estimation.estimate import CAP_BPS, SendEstimate
from webrtc.forwarding.outlet import Outlet
from webrtc.forwarding.slots import Formats
from webrtc.node.problems import ProblemError
from webrtc.node.whip import _read_layout
from webrtc.rtp import rtcp
from webrtc.rtp.packet import HEADER_SIZE, open_packet, strip_redundancy, unwrap_rtx
from webrtc.rtp.payload import READ_PICTURE, read_size, wide_picture_id
from webrtc.rtp.transport_cc import Run, TransportFeedback
from webrtc.sdp.answer import make_answer
from webrtc.sdp.fragment import parse_fragment
from webrtc.sdp.offer import MAX_FORMATS, MAX_SSRCS, LocalParameters, parse_offer
from webrtc.selection.layer_selection import LayerSelection
from webrtc.transport.dtls import Certificate

CODECS = sorted(READ_PICTURE)
datagrams = st.binary(min_size=0, max_size=200)


@given(datagrams, st.integers(0, 255), st.sampled_from(CODECS))
def test_packets(octets: bytes, first: int, codec: str) -> None:
    datagram = bytes((0x80 | first & 0x3F,)) + octets
    try:
        plain, elements = open_packet(datagram)
    except InvalidPacket:
        return
    assert len(plain) >= HEADER_SIZE
    assert all(1 <= id <= 14 and 1 <= len(value) <= 16 for id, value in elements.items())
    wide = wide_picture_id(plain)
    READ_PICTURE[codec](wide)
    size = read_size(codec, plain)
    assert 0 <= size.width < 1 << 16
    assert 0 <= size.height < 1 << 16
    for inner in (unwrap_rtx(plain, ssrc=1, payload_type=96), strip_redundancy(plain)):
        assert inner is None or HEADER_SIZE <= len(inner) <= len(plain)


@given(st.sampled_from([200, 201, 202, 203, 204, 205, 206, 207]), st.integers(0, 63), st.binary(max_size=300))
@example(205, 15, bytes(8) + b"\0\0\xff\xff" + bytes(4) + b"\x3f\xff" * 8)  # 65,535 packets arrived, and no times
def test_reports(kind: int, first: int, body: bytes) -> None:
    body += bytes(-len(body) % 4)
    datagram = bytes((0x80 | first, kind)) + (len(body) // 4).to_bytes(2, "big") + body
    try:
        packets = rtcp.parse(datagram)
    except InvalidPacket:
        return
    for packet in packets:
        if isinstance(packet, TransportFeedback):
            assert sum(len(run.ticks) for run in packet.runs) <= len(body)


@settings(max_examples=60)
@given(st.randoms(use_true_random=False))
def test_offers(chance: random.Random) -> None:
    lines = chance.choice(list(OFFERS.values())).splitlines()
    for _ in range(chance.randrange(1, 6)):
        at = chance.randrange(len(lines))
        match chance.randrange(4):
            case 0:
                lines.insert(at, chance.choice(lines))
            case 1:
                del lines[at]
            case 2:
                lines[at] = lines[at][: chance.randrange(len(lines[at]) + 1)] + chance.choice(
                    ("", "9" * 20, "\u0661", ";=,:")
                )
            case _:
                lines[at] = lines[at].replace(":", chance.choice((" ", "::", ":*", ":-1 ")), 1)
    try:
        offer = parse_offer("\r\n".join(lines) + "\r\n")
        for sending in (True, False):
            local = LocalParameters(
                ufrag="u", pwd="p", fingerprint="00", candidates=(), ssrcs_for=lambda mid: (1, 2), cname="c"
            )
            make_answer(offer, sending=sending, local=local)
    except InvalidSdp:
        pass


@given(st.text(max_size=300))
@example("a=ice-ufrag:\r\na=ice-pwd:\r\n")
def test_fragments(text: str) -> None:
    try:
        parse_fragment(text)
    except InvalidSdp:
        pass


LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(max_size=8)
BODIES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner))


@given(BODIES | st.builds(lambda slots: {"slots": slots}, BODIES))
@example({"slots": {"0": {"height": True}}})
@example({"slots": {str(mid): {"height": 1} for mid in range(65)}})
def test_layouts(body: object) -> None:
    try:
        heights = _read_layout(json.dumps(body))
    except ProblemError:
        return
    assert all(isinstance(mid, str) and 0 <= height <= 16384 for mid, height in heights.items())


def test_layouts_of_slots_that_are_none_are_not_kept() -> None:
    selection = LayerSelection([])
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for number in range(20_000):
        selection.layout({f"nobody's {number}": 5})
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < 50_000


def test_offers_that_would_take_long_to_read_are_refused() -> None:
    """Formats times feedback lines: 24,000 of one and 10,000 of the other once took half a minute."""
    text = rich_offer(Certificate(), "sendonly", ("video",))
    long = text.replace("SAVPF 96 ", "SAVPF " + "96 " * MAX_FORMATS)
    with pytest.raises(UnsupportedSdp):
        parse_offer(long)
    many = "".join(f"a=ssrc:{number} cname:x\r\na=rtcp-fb:96 x{number}\r\n" for number in range(2000))
    [section] = parse_offer(text + many).sections
    assert len(section.ssrcs) == MAX_SSRCS
    assert set(section.codecs[0].feedback) == {"nack", "nack pli", "ccm fir", "transport-cc"}


def test_number_of_a_thousand_digits_is_no_payload_type() -> None:
    offer = parse_offer(rich_offer(Certificate(), "recvonly", ("audio",), red="1" * 5000))
    assert Formats.of(offer.sections[0].codecs, {}).redundant is None


def feedback(base: int, count: int, number: int, *, step: int = 0, reference: int = 1) -> TransportFeedback:
    return TransportFeedback(
        ssrc=1,
        media=2,
        base=base & 0xFFFF,
        statuses=count,
        reference_time=reference,
        number=number & 0xFF,
        runs=(Run(0, tuple(place * step for place in range(count))),),
    )


class SentAt(Outlet):
    """Every packet left at that moment, but each seventh or so is forgotten."""

    def __init__(self, at: float, but: int = 1 << 17) -> None:
        super().__init__()
        self._at, self._but = at, but

    def sent(self, sequence: int, count: int, /) -> tuple[list[float], list[int]]:
        return ([self._at] * count, [1200] * count) if sequence % self._but else ([], [])


@pytest.mark.parametrize("clock", [0, 1, -1], ids=["stands", "runs", "runs back"])
def test_one_who_lies_of_arrivals_gets_no_more_than_the_cap(clock: int) -> None:
    """All came at once, at the time of before, always: nothing is lost, and no queue grows."""
    estimate = SendEstimate(transport_cc=True, now=0.0)
    delivery = Delivery()
    probed = 0.0
    for turn in range(20_000):
        now = turn * 0.05
        told = feedback(turn * 20, 20, turn, reference=(turn * clock) & 0xFFFFFF)
        estimate.on_feedback(told, SentAt(now - 0.01), now)
        assert 0 < estimate.bps <= CAP_BPS
        if turn % 2 == 0:
            estimate.tick(now, now)
            probe = estimate.probe(3_000_000, now)
            if probe is not None:
                probed += probe.duration_s * probe.target_bps
                estimate.probe_sent(probe, turn * 20, turn * 20 + 19, now)
    assert probed <= 0.5 * 3_300_000 * 1000  # bits in a thousand seconds: less than half of what it may want
    sizes = []
    for _ in range(2 * MAX_SPANS):
        delivery.take(1.0, 1.0, 1200, follows=True)
        sizes.append(len(pickle.dumps(delivery)))
    assert sizes[-1] == sizes[MAX_SPANS]


@given(
    st.lists(
        st.tuples(st.integers(0, 0xFFFF), st.integers(1, 400), st.integers(-80, 80), st.integers(0, 0xFFFFFF)),
        max_size=60,
    ),
    st.lists(st.floats(0, 1), max_size=10),
    st.lists(st.integers(0, 1 << 81), max_size=10),
)
def test_estimates_stand_any_feedback(
    told: list[tuple[int, int, int, int]], losses: list[float], limits: list[int]
) -> None:
    now = 0.0
    estimate = SendEstimate(transport_cc=True, now=now)
    for turn, (base, count, step, reference) in enumerate(told):
        now += 0.05
        estimate.on_feedback(
            feedback(base, count, turn, step=step, reference=reference),
            SentAt(now - 0.1, but=7),
            now,
        )
        estimate.tick(now, now)
        estimate.probe(5_000_000, now)
        assert 0 < estimate.bps <= CAP_BPS
    without = SendEstimate(transport_cc=False, now=now)
    for loss in losses:
        now += 0.1
        without.on_loss(loss, None, 1_000_000, 5_000_000, now)
    for limit in limits:
        without.on_remb(
            rtcp.MaximumBitrate(ssrc=9, bitrate_bps=limit, media=(1, 2, 2)), {1: 500_000, 2: 1}, 1_000_000, now
        )
        assert 0 < without.bps <= CAP_BPS


def test_token_bucket_is_for_the_long_run() -> None:
    bucket = TokenBucket(most=8, per_s=0.5)
    assert [bucket.take(0.0) for _ in range(10)] == [True] * 8 + [False] * 2
    assert sum(bucket.take(tenths / 10) for tenths in range(1000)) == 49
