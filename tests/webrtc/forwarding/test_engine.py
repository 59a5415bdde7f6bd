"""The engines against each other, and each against what may come its way."""

import gc
import os
import subprocess
import sys
import weakref
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from socket import AF_INET, AF_INET6, SO_RCVBUF, SOCK_DGRAM, SOCK_NONBLOCK, SOL_SOCKET, socket

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pylibsrtp import Policy, Session

from webrtc.forwarding import engines
from webrtc.forwarding.engine import Engine
from webrtc.forwarding.outlet import Outlet
from webrtc.forwarding.slots import Route
from webrtc.forwarding.track import SourceClock, Track
from webrtc.rtp.packet import HEADER
from webrtc.rtp.payload import NO_PICTURE, Picture
from webrtc.sdp.offer import Codec
from webrtc.shared.ids import TrackId
from webrtc.transport.path import Address, Path
from webrtc.transport.srtp import SrtpKeys

pytestmark = pytest.mark.usefixtures("each_engine")

NOW = 1000.25
PLAIN = HEADER.pack(0x80, 0x80 | 96, 7, 90_000, 1) + b"payload"
VP8 = Codec(name="VP8", payload_type=96, clock_rate=90_000)
TRACK = Track(id=TrackId("t"), kind="video", ssrc=1, payload_types={96: VP8}, clock=SourceClock())
EXTENSIONS: tuple[dict[str, int], ...] = ({}, {"transport_cc": 3}, {"send_time": 5})


def session(kind: int) -> Session:
    return Session(Policy(key=bytes(28), ssrc_type=kind, srtp_profile=Policy.SRTP_PROFILE_AEAD_AES_128_GCM))


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """A subscriber's socket, and the node's that sends there."""

    receiving: socket
    sending: socket

    @property
    def path(self) -> Path:
        return Path(self.sending.sendto, self.receiving.getsockname())

    def received(self) -> list[bytes]:
        """All that is there: loopback has it at once."""
        datagrams: list[bytes] = []
        while True:
            try:
                datagrams.append(self.receiving.recv(4096))
            except BlockingIOError:
                return datagrams


@contextmanager
def viewer(host: str = "127.0.0.1") -> Iterator[Viewer]:
    family = AF_INET6 if ":" in host else AF_INET
    with (
        socket(family, SOCK_DGRAM | SOCK_NONBLOCK) as receiving,
        socket(family, SOCK_DGRAM | SOCK_NONBLOCK) as sending,
    ):
        receiving.setsockopt(SOL_SOCKET, SO_RCVBUF, 1 << 20)
        for each in (receiving, sending):
            each.bind((host, 0))
        yield Viewer(receiving=receiving, sending=sending)


def open_outlet(engine: Engine, path: Path, **extension: int) -> Outlet:
    outlet = engine.outlet(**extension)
    outlet.open(SrtpKeys(session(Policy.SSRC_ANY_OUTBOUND)), path)
    return outlet


def route(outlet: Outlet, ssrc: int = 77) -> Route:
    return Route(0, 5, 6, ssrc, 100, 0, 0, outlet, TRACK)


def opened(datagrams: Sequence[bytes]) -> list[bytes]:
    receiver = session(Policy.SSRC_ANY_INBOUND)
    return [receiver.unprotect(each) for each in datagrams]


numbers = st.integers(-(1 << 20), 1 << 20)
words = st.integers(0, 0xFFFFFFFF)
drawn_routes = st.lists(
    st.tuples(st.integers(0, 40), numbers, words, words, st.integers(0, 127), numbers, numbers, st.integers(0, 2)),
    max_size=70,  # more than one system call takes
)
drawn_packets = st.lists(
    st.tuples(
        st.integers(0, 1 << 17),
        words,
        st.binary(min_size=5, max_size=1400),
        st.booleans(),
        st.one_of(st.just((-1, -1)), st.tuples(st.integers(0, 0x7FFF), st.integers(-1, 0xFF))),
        st.floats(0, 1e7),
    ),
    max_size=4,
)


@given(drawn_routes, drawn_packets)
@settings(deadline=None, max_examples=60)
def test_engines_send_the_same_octets(
    routes: list[tuple[int, int, int, int, int, int, int, int]],
    packets: list[tuple[int, int, bytes, bool, tuple[int, int], float]],
) -> None:
    results = []
    for engine in engines.installed.values():
        with ExitStack() as stack:
            forwarder = engine.forwarder()
            viewers = [stack.enter_context(viewer()) for _ in EXTENSIONS]
            outlets = [
                open_outlet(engine, there.path, **extension)
                for there, extension in zip(viewers, EXTENSIONS, strict=True)
            ]
            mine = tuple(Route(*each[:7], outlets[each[7]], TRACK) for each in routes)
            datagrams: list[list[bytes]] = []
            for number, timestamp, payload, marker, (picture_id, tl0picidx), now in packets:
                packet = HEADER.pack(0x80, marker << 7 | 96, number & 0xFFFF, timestamp, 1) + payload
                forwarder.send(mine, packet, number, Picture(picture_id, tl0picidx, 0, False, False), now)
                datagrams += [there.received() for there in viewers]
            sent = [
                (each.sequence, each.octets, each.dropped, each.last_sent, [each.sent(i, 9) for i in range(-3, 300)])
                for each in outlets
            ]
            results.append((datagrams, sent))
    assert all(result == results[0] for result in results)


def test_packet_arrives_rewritten(each_engine: str) -> None:
    forwarder = engines.chosen.forwarder()
    assert forwarder.__class__ is engines.installed[each_engine].forwarder
    with viewer() as there:
        outlet = open_outlet(engines.chosen, there.path, transport_cc=3)
        forwarder.send((route(outlet),), PLAIN, 7, NO_PICTURE, NOW)
        [packet] = opened(there.received())
        assert packet == HEADER.pack(0x90, 0x80 | 100, 12, 90_006, 77) + bytes.fromhex("bede000131000000") + b"payload"
        assert (outlet.sequence, outlet.octets, outlet.sent(0, 2)) == (1, 27, ([NOW], [27]))


def test_packet_goes_by_ipv6() -> None:
    with viewer("::1") as there:
        forwarder = engines.chosen.forwarder()
        outlet = open_outlet(engines.chosen, there.path)
        forwarder.send((route(outlet),), PLAIN, 7, NO_PICTURE, NOW)
        assert len(there.received()) == 1


def test_older_packet_than_the_route_is_left_out() -> None:
    with viewer() as there:
        forwarder = engines.chosen.forwarder()
        outlet = open_outlet(engines.chosen, there.path)
        forwarder.send((route(outlet)._replace(first=8),), PLAIN, 7, NO_PICTURE, NOW)
        assert (there.received(), outlet.sequence) == ([], 0)


def test_what_the_kernel_does_not_take_is_dropped_and_the_rest_sent() -> None:
    with viewer() as there, viewer() as elsewhere:
        forwarder = engines.chosen.forwarder()
        good = [open_outlet(engines.chosen, path) for path in (there.path, elsewhere.path, there.path)]
        bad = [open_outlet(engines.chosen, Path(there.sending.sendto, ("127.0.0.1", 0))) for _ in range(2)]
        order = (bad[0], good[0], good[1], bad[1], good[2])
        forwarder.send(tuple(route(outlet, ssrc) for ssrc, outlet in enumerate(order)), PLAIN, 7, NO_PICTURE, NOW)
        assert (len(there.received()), len(elsewhere.received())) == (2, 1)
        assert [outlet.dropped for outlet in order] == [1, 0, 0, 1, 0]
        assert [outlet.sequence for outlet in order] == [1] * 5


def test_closed_socket_drops() -> None:
    with viewer() as there:
        forwarder = engines.chosen.forwarder()
        outlet = open_outlet(engines.chosen, there.path)
        there.sending.close()
        forwarder.send((route(outlet),), PLAIN, 7, NO_PICTURE, NOW)
        assert (outlet.dropped, outlet.sequence) == (1, 1)


def test_number_used_twice_is_dropped() -> None:
    with viewer() as there:
        forwarder = engines.chosen.forwarder()
        outlet = open_outlet(engines.chosen, there.path)
        for _ in range(2):
            forwarder.send((route(outlet),), PLAIN, 7, NO_PICTURE, NOW)
        assert (len(there.received()), outlet.dropped, outlet.sequence) == (1, 1, 1)


def test_what_is_held_leaves_together_and_in_order() -> None:
    with viewer() as there, viewer() as elsewhere:
        forwarder = engines.chosen.forwarder()
        outlets = [open_outlet(engines.chosen, path, transport_cc=3) for path in (there.path, elsewhere.path)]
        sizes = [900, 900, 900, 400, 900, 901, 901, 20, *[700] * 150]
        forwarder.hold()
        for number, size in enumerate(sizes):
            along = (route(outlets[0], 1), route(outlets[1], 2))
            forwarder.send(along, PLAIN.ljust(size, b"."), number, NO_PICTURE, NOW)
        forwarder.flush()
        for each in (there, elsewhere):
            packets = opened(each.received())
            assert [len(packet) - 8 for packet in packets] == sizes
            assert [packet[2:4] for packet in packets] == [(n + 5).to_bytes(2, "big") for n in range(len(sizes))]
        forwarder.send((route(outlets[0], 1),), PLAIN, len(sizes), NO_PICTURE, NOW)
        assert len(there.received()) == 1  # held no longer
        assert [outlet.dropped for outlet in outlets] == [0, 0]


def test_what_is_held_is_dropped_packet_by_packet() -> None:
    with viewer() as there:
        forwarder = engines.chosen.forwarder()
        good = open_outlet(engines.chosen, there.path)
        bad = open_outlet(engines.chosen, Path(there.sending.sendto, ("127.0.0.1", 0)))
        forwarder.hold()
        for number in range(3):
            forwarder.send((route(bad, 1), route(good, 2)), PLAIN, number, NO_PICTURE, NOW)
        forwarder.flush()
        assert (len(there.received()), bad.dropped, good.dropped) == (3, 3, 0)


class Stream:
    """A path that is no UDP socket."""

    def __init__(self, *errors: Exception | None) -> None:
        self.taken: list[bytes] = []
        self._errors = list(errors)

    def sendto(self, datagram: memoryview | bytes, address: Address) -> None:
        if self._errors and (error := self._errors.pop(0)) is not None:
            raise error
        self.taken.append(bytes(datagram))


def test_full_stream_drops_and_goes_on() -> None:
    stream = Stream(None, BlockingIOError(), BrokenPipeError(), None)
    forwarder = engines.chosen.forwarder()
    outlet = open_outlet(engines.chosen, Path(stream.sendto, ("192.0.2.1", 5, "tcp")), transport_cc=3)
    for number in range(4):
        forwarder.send((route(outlet),), PLAIN, number, NO_PICTURE, NOW)
    assert [packet[2:4] for packet in opened(stream.taken)] == [bytes((0, 5)), bytes((0, 8))]
    assert (outlet.dropped, outlet.sequence) == (2, 4)


def test_fault_of_a_stream_is_raised_and_nothing_before_it_lost() -> None:
    with viewer() as there:
        forwarder = engines.chosen.forwarder()
        good = open_outlet(engines.chosen, there.path)
        bad = open_outlet(engines.chosen, Path(Stream(RuntimeError("fault")).sendto, ("192.0.2.1", 5, "tcp")))
        with pytest.raises(RuntimeError, match="fault"):
            forwarder.send((route(good, 1), route(bad, 2)), PLAIN, 7, NO_PICTURE, NOW)
        assert len(there.received()) == 1
        forwarder.send((route(good, 1),), PLAIN, 8, NO_PICTURE, NOW)
        assert len(there.received()) == 1


def test_outlet_moves() -> None:
    with viewer() as there:
        stream = Stream()
        forwarder = engines.chosen.forwarder()
        outlet = open_outlet(engines.chosen, there.path)
        for number, path in enumerate((there.path, Path(stream.sendto, ("192.0.2.1", 5, "tcp")), there.path)):
            outlet.move(path)
            assert (outlet.sendto, outlet.address) == path
            forwarder.send((route(outlet),), PLAIN, number, NO_PICTURE, NOW)
        assert (len(there.received()), len(stream.taken)) == (2, 1)


@pytest.mark.parametrize("size", [0, 1, 11, 2041, 3000, 70_000])
def test_no_packet_is_refused(size: int) -> None:
    with viewer() as there:
        forwarder = engines.chosen.forwarder()
        outlet = open_outlet(engines.chosen, there.path, transport_cc=3)
        with pytest.raises(Exception, match=r"requires a buffer|octets|different structures"):
            forwarder.send((route(outlet),), bytes(size), 7, NO_PICTURE, NOW)
        assert (there.received(), outlet.sequence) == ([], 0)


def test_largest_packet_goes() -> None:
    with viewer() as there:
        forwarder = engines.chosen.forwarder()
        outlet = open_outlet(engines.chosen, there.path, transport_cc=3)
        forwarder.send((route(outlet),), PLAIN.ljust(1500, b"."), 7, NO_PICTURE, NOW)
        assert [len(packet) for packet in there.received()] == [1500 + 8 + 16]  # with its number, and GCM's tag


def test_send_time_is_six_bits_of_seconds() -> None:
    outlet = engines.chosen.outlet(send_time=5)
    assert (outlet.timed, outlet.word(64.5)) == (True, 0x52 << 24 | 1 << 17)


def test_outlet_ends_with_its_keys() -> None:
    class Keys(SrtpKeys):
        """Weakly referenced."""

    stream = Stream()
    forwarder = engines.chosen.forwarder()
    outlet = engines.chosen.outlet()
    keys = Keys(session(Policy.SSRC_ANY_OUTBOUND))
    end = weakref.ref(keys)
    outlet.open(keys, Path(stream.sendto, ("192.0.2.1", 5, "tcp")))
    stream.outlet = outlet  # type: ignore[attr-defined]  # a cycle, as a connection has
    del keys
    forwarder.send((route(outlet),), PLAIN, 7, NO_PICTURE, NOW)
    assert end() is not None
    del outlet, stream
    gc.collect()
    assert end() is None


def test_pure_engine_can_be_asked_for(each_engine: str) -> None:
    found = subprocess.run(
        [sys.executable, "-c", "from webrtc.forwarding.engines import chosen; print(chosen.name)"],
        env={**os.environ, "NHIPCAU_PURE": "1" if each_engine == "pure" else ""},
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip() == each_engine
