"""The engines over long random sessions, whose every octet must be the same; and each with arguments that are none."""

import random
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from tests.webrtc.forwarding.test_engine import EXTENSIONS, NOW, PLAIN, TRACK, Viewer, open_outlet, route, viewer
from webrtc.forwarding import engines
from webrtc.forwarding.engine import Engine
from webrtc.forwarding.outlet import Outlet
from webrtc.forwarding.slots import Route
from webrtc.rtp.packet import HEADER, HEADER_SIZE
from webrtc.rtp.payload import NO_PICTURE, Picture, read_vp8

SEEDS = range(12)
STEPS = 300
OUTLETS = 6
PATHS = 2  # of each outlet, between which it moves
LARGEST = 1600  # octets of a packet
EDGES = (12, 13, 14, 15, 16, 17, 18, 28, 1199, 1200, 1500, 1599, LARGEST)
MOST_ROUTES = 12  # times so many that are held: fewer than the kernel keeps for one socket
MOST_HELD = 5
NEAR_THE_END = 65_536 - 40  # of the transport's numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A packet along some routes, and what comes before it. The eighth of a route is the number of an outlet."""

    packet: bytes
    number: int
    picture: Picture
    now: float
    routes: tuple[tuple[int, int, int, int, int, int, int, int], ...]
    moves: tuple[int, int] | None  # this outlet, to that of its paths
    held: bool  # with the next one


def session_of(draw: random.Random) -> list[Step]:
    number = draw.choice((0, 65_000, 1 << 20))
    paths = [drawn_route(draw, number, ssrc) for ssrc in range(1, 40)]
    steps: list[Step] = []
    for at in range(STEPS):
        # Mostly the next one, some lost, some late, and now and then one that libsrtp takes for a replay.
        number = max(0, number + draw.choice((1, 1, 1, 1, 2, 5, 0, -3, 300, 20_000)))
        packet = drawn_packet(draw, number)
        again = at % MOST_HELD
        steps.append(
            Step(
                packet=packet,
                number=number,
                picture=read_vp8(packet) if draw.random() < 0.7 else NO_PICTURE,
                now=draw.choice((0.0, NOW, draw.uniform(0, 1e7))),
                routes=tuple(draw.sample(paths, draw.randint(0, MOST_ROUTES))),
                moves=(draw.randrange(OUTLETS), draw.randrange(PATHS)) if not again and draw.random() < 0.2 else None,
                held=again < MOST_HELD - 1 and draw.random() < 0.5,
            )
        )
    return steps


def drawn_route(draw: random.Random, number: int, ssrc: int) -> tuple[int, int, int, int, int, int, int, int]:
    def word() -> int:
        return draw.choice((0, 1, 0xFFFFFFFF, draw.getrandbits(32)))

    def ahead() -> int:
        return draw.choice((0, -1, 1, draw.randint(-(1 << 40), 1 << 40)))

    first = draw.choice((0, number, number + 200))
    payload_type = draw.randint(0, 127)
    return (first, ahead(), word(), ssrc << 16 | 0xFFFF, payload_type, ahead(), ahead(), draw.randrange(OUTLETS))


def drawn_packet(draw: random.Random, number: int) -> bytes:
    size = draw.choice((draw.choice(EDGES), draw.randint(HEADER_SIZE, LARGEST), draw.randint(HEADER_SIZE, 40)))
    marker, timestamp = draw.choice((0, 0x80)), draw.choice((0, 0xFFFFFFFF, draw.getrandbits(32)))
    # A VP8 descriptor has an extension, in that a picture id, of one or two octets, and TL0PICIDX: or not.
    descriptor = bytes(
        (draw.choice((0x90, 0x80, 0x10)), draw.choice((0x80, 0xC0, 0xE0, 0xF0, 0x40, 0)), draw.getrandbits(8))
    )
    payload = descriptor + draw.randbytes(max(0, size - HEADER_SIZE - len(descriptor)))
    return HEADER.pack(0x80, marker | 96, number & 0xFFFF, timestamp, 1) + payload[: size - HEADER_SIZE]


@pytest.mark.parametrize("seed", SEEDS)
def test_engines_agree_over_a_session(seed: int) -> None:
    steps = session_of(random.Random(seed))
    results = [played(each, steps) for each in engines.installed.values()]
    for pure, *others in zip(*results, strict=True):
        assert all(other == pure for other in others)
    assert any(len(datagrams) > 1 for datagrams, _ in results[0]), "nothing was sent"


def played(engine: Engine, steps: Sequence[Step]) -> list[tuple[list[bytes], object]]:
    """After each step: the datagrams that came, viewer for viewer, and what the outlets have counted."""
    forwarder = engine.forwarder()
    with ExitStack() as stack:
        viewers = [stack.enter_context(viewer()) for _ in range(OUTLETS * PATHS)]
        outlets = [opened(engine, viewers, at) for at in range(OUTLETS)]
        results: list[tuple[list[bytes], object]] = []
        holds = False
        for step in steps:
            if step.moves is not None:
                moved, path = step.moves
                outlets[moved].move(viewers[moved * PATHS + path].path)
            if step.held and not holds:
                forwarder.hold()
            holds = step.held
            routes = tuple(Route(*each[:7], outlets[each[7]], TRACK) for each in step.routes)
            forwarder.send(routes, step.packet, step.number, step.picture, step.now)
            if not step.held:
                forwarder.flush()
            datagrams = [] if step.held else [each for there in viewers for each in there.received()]
            results.append((datagrams, [counted(each) for each in outlets]))
        return results


def opened(engine: Engine, viewers: Sequence[Viewer], at: int) -> Outlet:
    outlet = open_outlet(engine, viewers[at * PATHS].path, **EXTENSIONS[at % len(EXTENSIONS)])
    for number in range(NEAR_THE_END if at < len(EXTENSIONS) else 0):
        outlet.note(number % 1500, float(number))
    return outlet


def counted(outlet: Outlet) -> object:
    sent = outlet.sent((outlet.sequence - 50) & 0xFFFF, 60)
    return outlet.sequence, outlet.octets, outlet.dropped, outlet.last_sent, sent


class Strange:
    """Like nothing that is asked for, but callable."""

    def __call__(self, *_: object) -> int:
        raise LookupError("strange")

    __index__ = __int__ = __float__ = __iter__ = __len__ = __call__


@pytest.mark.usefixtures("each_engine")
@pytest.mark.parametrize("seed", SEEDS)
def test_engine_survives_what_is_no_packet(seed: int) -> None:
    draw = random.Random(seed)
    with viewer() as there:
        engine = engines.chosen
        forwarder = engine.forwarder()
        good, closed = open_outlet(engine, there.path, transport_cc=3), engine.outlet()
        whole = route(good, 1)
        numbers: tuple[object, ...] = (0, 7, -1, 1 << 31, 1 << 63, -(1 << 80), 1.5, float("nan"), float("inf"), True)
        strange: tuple[object, ...] = (None, "", "text", b"", (), [], {}, object(), Strange(), int, *numbers)
        refused = 0

        def odd(usual: object) -> object:
            return usual if draw.random() < 0.7 else draw.choice(strange)

        def odd_route() -> object:
            fields = [odd(field) for field in whole]
            fields[7] = draw.choice((good, good, good, closed, None, Strange(), there))
            return draw.choice((tuple(fields), tuple(fields[: draw.randrange(9)]), (*fields, 1), fields, whole, None))

        for number in range(500):
            routes = odd(tuple(odd_route() for _ in range(draw.randint(0, 3))))
            packet = odd(draw.choice((PLAIN, bytes(draw.randint(0, 30)), bytes(1601), bytes(70_000), bytearray(PLAIN))))
            picture = odd(draw.choice((NO_PICTURE, Picture(9, 9, 0, False, False), (9,), (odd(9), odd(9)))))
            try:
                forwarder.send(routes, packet, odd(number), picture, odd(NOW))  # type: ignore[arg-type]  # on purpose
            except SystemError:  # of Python's C interface, which is used wrongly then
                raise
            except Exception:  # noqa: BLE001  # whatever it is, the process goes on
                refused += 1
        assert 0 < refused < 500
        there.received()
        forwarder.send((route(good, 2),), PLAIN, 7, NO_PICTURE, NOW)
        assert len(there.received()) == 1
