"""Transport-wide feedback as it is built, written and read."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from webrtc.errors import InvalidPacket
from webrtc.forwarding.engine import Engine
from webrtc.forwarding.engines import installed
from webrtc.rtp.rtcp import Packet, parse
from webrtc.rtp.transport_cc import KEPT, MAX_JUMP, TICKS, Arrivals, Run, TransportFeedback

SMALL = st.integers(0, 255)
LARGE = st.integers(-0x8000, 0x7FFF)
STATUSES = st.lists(
    st.one_of(
        st.tuples(st.none(), st.integers(1, 60)),
        st.tuples(SMALL, st.integers(1, 60)),
        st.tuples(st.one_of(st.none(), SMALL, LARGE), st.just(1)),
    ),
    min_size=1,
    max_size=60,
).map(lambda runs: [delta for delta, length in runs for _ in range(length)])


def feedback(deltas: list[int | None], *, base: int = 65_530, number: int = 255) -> TransportFeedback:
    """What says `deltas`: from one received packet to the next, None for a lost one."""
    runs: list[Run] = []
    ticks = 0
    for place, delta in enumerate(deltas):
        if delta is None:
            continue
        ticks += delta
        if runs and runs[-1].place + len(runs[-1].ticks) == place:
            runs[-1] = Run(runs[-1].place, (*runs[-1].ticks, ticks))
        else:
            runs.append(Run(place, (ticks,)))
    return TransportFeedback(
        ssrc=1,
        media=2,
        base=base,
        statuses=len(deltas),
        reference_time=0xFFFFFF,
        number=number,
        runs=tuple(runs),
    )


def told(feedbacks: tuple[TransportFeedback, ...]) -> list[tuple[int, int | None]]:
    """(16-bit sequence number, arrival in ticks, None if lost) of all statuses in order."""
    found: list[tuple[int, int | None]] = []
    for one in feedbacks:
        arrivals = {place: at for run in one.runs for place, at in enumerate(run.ticks, run.place)}
        for place in range(one.statuses):
            at = arrivals.get(place)
            found.append(((one.base + place) & 0xFFFF, None if at is None else at + one.reference_time * 256))
    return found


@settings(deadline=None)
@given(STATUSES)
def test_feedback_is_read_as_it_was_written(deltas: list[int | None]) -> None:
    packet = feedback(deltas)
    for each in installed.values():
        assert parse(packet.to_bytes(), each.read_feedback) == (packet,)


@settings(deadline=None)
@given(st.integers(0, 300), st.lists(st.integers(0, 0xFFFF), max_size=40), st.binary(max_size=60))
def test_engines_read_the_same_garbage_alike(statuses: int, chunks: list[int], times: bytes) -> None:
    body = struct.pack("!IIHHI", 1, 2, 3, statuses, 0x04000005) + struct.pack(f"!{len(chunks)}H", *chunks) + times
    body += bytes(-len(body) % 4)
    datagram = struct.pack("!BBH", 0x80 | 15, 205, len(body) // 4) + body
    assert len({read(datagram, each) for each in installed.values()}) == 1


def read(datagram: bytes, each: Engine) -> tuple[Packet, ...] | None:
    try:
        return parse(datagram, each.read_feedback)
    except InvalidPacket:
        return None


@pytest.mark.parametrize(
    ("deltas", "chunks"),
    [
        ([None] * 221, "00dd"),  # the draft's first example, 3.1.3
        ([5] * 24, "2018"),
        ([-5] * 24, "4018"),
        ([None, *[1] * 5, *[None] * 3, *[2] * 3, None, None], "9f1c"),  # the draft's first example, 3.1.4
        ([None, 300, 1, 1, 1, None, None], "c950"),
        ([1] * 8 + [300], "2008" + "4001"),
        ([None, 1] * 7, "9555"),
    ],
)
def test_statuses_are_packed_into_chunks(deltas: list[int | None], chunks: str) -> None:
    assert feedback(deltas).to_bytes()[20:].hex().startswith(chunks)


def test_packet_is_as_the_draft_draws_it() -> None:
    packet = feedback([4, None, 300], base=0x1234, number=7).to_bytes()
    assert packet.hex() == (
        "afcd0006" + "00000001" + "00000002" + "1234" + "0003" + "ffffff" + "07" + "d200" + "04" + "012c" + "000003"
    )


@pytest.mark.parametrize(
    "chunks",
    ["", "20", "2002" + "01", "3fff" * 8 + "01" * 8, "6002" + "0101", "4001" + "00", "d800" + "0101", "0000" * 9],
)
def test_broken_feedback_is_invalid(chunks: str) -> None:
    body = bytes.fromhex("00000001" + "00000002" + "0000" + "ffff" + "00000000" + chunks)
    body += bytes(-len(body) % 4)
    with pytest.raises(InvalidPacket):
        parse(bytes.fromhex("8fcd") + (len(body) // 4).to_bytes(2, "big") + body)


def test_a_few_octets_that_announce_many_losses_cost_nothing() -> None:
    packet = feedback([None] * 65_535)
    assert (len(packet.to_bytes()), parse(packet.to_bytes())) == (40, (packet,))


@settings(deadline=None)
@given(st.binary(max_size=60), st.integers(0, 65_535))
def test_any_body_is_read_or_invalid(chunks: bytes, statuses: int) -> None:
    body = bytes(10) + statuses.to_bytes(2, "big") + bytes(4) + chunks + bytes(-len(chunks) % 4)
    try:
        packets = parse(bytes.fromhex("8fcd") + (len(body) // 4).to_bytes(2, "big") + body)
    except InvalidPacket:
        return
    assert all(isinstance(packet, TransportFeedback) for packet in packets)


def test_arrivals_tell_each_packet_once_with_its_gaps() -> None:
    arrivals = Arrivals()
    assert arrivals.feedback(1, 2) == ()
    for sequence, now in ((65_534, 10.0), (65_535, 10.001), (1, 10.003)):
        arrivals.note(sequence, now)
    first = arrivals.feedback(1, 2)
    arrivals.note(4, 10.1)
    second = arrivals.feedback(1, 2)
    assert told(first) == [(65_534, 40_000), (65_535, 40_004), (0, None), (1, 40_012)]
    assert told(second) == [(2, None), (3, None), (4, 40_400)]
    assert [packet.number for packet in first + second] == [0, 1]
    assert arrivals.feedback(1, 2) == ()


def test_late_packet_is_reported_with_those_after_it_again() -> None:
    arrivals = Arrivals()
    for sequence in (10, 11, 13, 14):
        arrivals.note(sequence, 1.0)
    arrivals.feedback(1, 2)
    arrivals.note(12, 1.1)
    arrivals.note(15, 1.1)
    assert told(arrivals.feedback(1, 2)) == [(12, 4400), (13, 4000), (14, 4000), (15, 4400)]


def test_packet_too_late_is_not_reported() -> None:
    arrivals = Arrivals()
    for sequence in range(10):
        arrivals.note(100 + sequence, 1.0)
        arrivals.feedback(1, 2)
    arrivals.note(103, 2.0)
    assert arrivals.feedback(1, 2) == ()


def test_sender_that_starts_again_is_followed() -> None:
    arrivals = Arrivals()
    arrivals.note(5, 1.0)
    arrivals.feedback(1, 2)
    arrivals.note((5 + MAX_JUMP) & 0xFFFF, 2.0)
    arrivals.note((6 + MAX_JUMP) & 0xFFFF, 2.0)
    assert told(arrivals.feedback(1, 2)) == [(5 + MAX_JUMP, 8000), (6 + MAX_JUMP, 8000)]


@settings(deadline=None)
@given(
    st.integers(0, 65_535),
    st.lists(st.tuples(st.integers(1, 3), st.integers(-40, 60), st.booleans()), min_size=1, max_size=400),
)
def test_what_arrives_is_reported_whatever_its_order(start: int, steps: list[tuple[int, int, bool]]) -> None:
    arrivals, noted, known = Arrivals(), {}, {}
    sequence, packets = start, []
    for i, (step, late_ms, ask) in enumerate(steps):
        sequence = (sequence + step) & 0xFFFF
        packets.append((100 + i * 0.005 + late_ms / 1000, sequence, ask))
    for now, sequence, ask in sorted(packets, key=lambda packet: packet[0]):
        arrivals.note(sequence, now)
        noted[sequence] = int(now * TICKS)
        if ask:
            known.update(_checked(arrivals.feedback(1, 2)))
    known.update(_checked(arrivals.feedback(1, 2)))
    late = noted.keys() - {sequence for sequence, at in known.items() if at is not None}
    assert {sequence: at for sequence, at in known.items() if at is not None} == {
        sequence: at for sequence, at in noted.items() if sequence not in late
    }
    assert not late or sum(ask for _, _, ask in packets) >= KEPT  # only what came after so many more


def _checked(feedbacks: tuple[TransportFeedback, ...]) -> dict[int, int | None]:
    for one, following in zip(feedbacks, feedbacks[1:], strict=False):
        assert (one.base + one.statuses) & 0xFFFF == following.base
    for one in feedbacks:
        assert len(one.to_bytes()) <= 1200
        assert parse(one.to_bytes()) == (one,)
    return dict(told(feedbacks))


def test_many_packets_are_reported_in_several_feedbacks() -> None:
    arrivals = Arrivals()
    for sequence in range(0, 3000, 2):
        arrivals.note(sequence, 5.0 + (sequence % 7) * 0.2)  # large differences, and every second one lost
    feedbacks = arrivals.feedback(1, 2)
    assert len(feedbacks) > 1
    assert [sequence for sequence, _ in told(feedbacks)] == list(range(2999))
    _checked(feedbacks)
