"""How a node ages: a lesson of eight for hours, with people who come, go and take the floor. By hand, not with others.

`python -m bench.endurance --minutes 120 [--speed N] [--json]`. Eight rooms publish three layers and a voice each, and
receive stage, seven thumbnails and three voices, with all feedback. Every few seconds one of them leaves and comes
back, and another one is given the floor. With `--speed N` N times as many frames and sounds are sent in a second, on
clocks that run N times as fast: what ages a node is the number of packets, of wraps and of joins, and they come N times
as often. What runs by the node's own clock (reports, consent, timeouts) does not; and lips are compared at speed 1
only: between two reports the node takes every media clock for one of its nominal rate.

Told: the node's memory (resident, from the kernel) at the beginning, in the middle and at the end, what it grows per
hour by the line through all samples of the second half, its CPU, and the largest skew between a voice and a picture
that were captured at the same moment, as the subscriber's sender reports map them (tests/webrtc/test_lips.py).
"""

import argparse
import asyncio
import json
import math
import os
import queue
import random
import select
import statistics
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import aiohttp

from bench.forward import node
from bench.lesson_load import CHECK_S, READ_S, SWITCH_S, Lesson, Plan
from bench.lesson_publisher import FRAMES_PER_S, NTP_EPOCH_S, SOUND_S, Publisher, _Encoding
from bench.lesson_slot import Slot
from bench.lesson_stamp import Stamp
from bench.lesson_subscriber import Subscriber
from bench.timetable import Timetable
from webrtc.rtp import rtcp

ROOMS = 8
SAMPLE_S = 10.0
FLOOR_S = 4.0  # until somebody else has the floor,
REJOIN_S = 6.0  # and until somebody leaves and comes back
SETTLED_S = 30.0  # from here on the memory of a lesson is there
CLOCKS = {"video": 90_000, "audio": 48_000}
STARTED_NTP_S = time.time() - time.monotonic() + NTP_EPOCH_S  # as in browsers, no clock that is set moves it
NO_LOAD = 0xFFFF  # in the place of a stamp
Action = Callable[[], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    minutes: float
    speed: float
    rss_start_mb: float
    rss_middle_mb: float
    rss_end_mb: float
    growth_mb_per_hour: float
    cpu_percent: float
    packets_in: int
    packets_out: int
    rejoins: int
    floors: int
    lips: int  # comparisons of a voice and a picture
    skew_p99_ms: float
    skew_max_ms: float
    errors: dict[str, int]


class AgingPublisher(Publisher):
    """Its media clocks and its wall clock run `speed` times as fast. It knows when everything was captured."""

    speed = 1.0

    def start(self, timetable: Timetable, now: float) -> None:
        self._timetable = timetable
        self._started_at = now
        self._picture_at = now + random.random() / FRAMES_PER_S
        self._sound_at = now + random.random() * SOUND_S
        self._places: dict[tuple[int, int], int] = {}  # by layer and 16-bit number: which frame it was
        timetable.add(self._picture_at, self._frame, 1 / FRAMES_PER_S / self.speed)
        timetable.add(self._sound_at, self._sound_packet, SOUND_S / self.speed)
        timetable.add(now + random.random(), self._report, 1.0)

    @property
    def stamped(self) -> int:
        """What its stamps call it."""
        return self._number

    def captured_s(self, stamp: Stamp, kind: str) -> float | None:
        """The true moment (`time.monotonic`), by the rhythm that it was captured in."""
        if kind == "audio":
            number = self._sounds - (self._sounds - stamp.frame & 0xFFFF)
            return self._sound_at + (number - 1) * SOUND_S / self.speed
        frame = self._places.get((stamp.layer, stamp.frame))
        return None if frame is None else self._picture_at + (frame - 1) / FRAMES_PER_S / self.speed

    def _encode(self, encoding: _Encoding, now: float) -> None:
        super()._encode(encoding, now)
        self._places[encoding.place, encoding.frame] = self._frames

    def _report(self, now: float) -> None:
        """As the other one, but exact: what a clock would show now, not what was sent last."""
        at = time.monotonic()
        ntp = int((STARTED_NTP_S + at + (at - self._started_at) * (self.speed - 1)) * 2**32)
        picture = (at - self._picture_at) * self.speed * CLOCKS["video"] + CLOCKS["video"] // FRAMES_PER_S
        sound = ((at - self._sound_at) * self.speed + SOUND_S) * CLOCKS["audio"]
        flowing = [(each.stream, picture) for each in self._encodings if each.active] + [(self._sound, sound)]
        reports = [
            rtcp.SenderReport(
                ssrc=stream.ssrc, ntp=ntp, rtp=round(rtp) & 0xFFFFFFFF, packets=stream.packets, octets=stream.octets
            )
            for stream, rtp in flowing
        ]
        self.connection.send_rtcp(rtcp.compound(reports))


class Watcher(Subscriber):
    """Notes what every slot's newest report says of a packet that came after it."""

    mapped: dict[int, rtcp.SenderReport]
    seen: dict[int, tuple[Slot, Stamp, int]]

    def watch(self) -> None:
        self.mapped, self.seen = {}, {}  # by SSRC
        self.foreign: set[int] = set()  # slots that carried something of no load
        self._origins: dict[int, tuple[int, int]] = {}  # source and layer of each slot

    def _take(self, slot: Slot, packet: memoryview, start: int, now: float) -> Stamp:
        stamp = super()._take(slot, packet, start, now)
        if stamp.source == NO_LOAD:
            self.foreign.add(slot.ssrc)
        origin = stamp.source, stamp.layer
        if self._origins.get(slot.ssrc) != origin:  # its next report tells of that
            self._origins[slot.ssrc] = origin
            self.mapped.pop(slot.ssrc, None)
            self.seen.pop(slot.ssrc, None)
        if slot.ssrc in self.mapped:
            self.seen[slot.ssrc] = slot, stamp, int.from_bytes(packet[4:8], "big")
        return stamp

    def _take_control(self, size: int, now: float) -> None:
        if size := self.connection.unprotect_rtcp(size):
            packets = rtcp.parse(bytes(self.connection.incoming.view[:size]))
            reports = {packet.ssrc: packet for packet in packets if isinstance(packet, rtcp.SenderReport)}
            if reports:  # of all slots at once; one that is not named carries nothing, and has nothing to be compared
                self._reports |= {ssrc: (each.ntp >> 16 & 0xFFFFFFFF, now) for ssrc, each in reports.items()}
                self.mapped = reports
                self.seen.clear()

    def skews_s(self, publishers: Mapping[int, AgingPublisher]) -> list[float]:
        """How far each voice is played from the picture of the same room that was captured with it."""
        early: dict[str, dict[int, float]] = {"video": {}, "audio": {}}  # played less captured, by room
        for ssrc, (slot, stamp, timestamp) in self.seen.items():
            publisher = publishers.get(stamp.source)
            captured_s = None if publisher is None else publisher.captured_s(stamp, slot.kind)
            if publisher is not None and captured_s is not None:
                report = self.mapped[ssrc]
                ticks = (timestamp - report.rtp + 0x80000000 & 0xFFFFFFFF) - 0x80000000
                played_s = report.ntp / 2**32 + ticks / CLOCKS[slot.kind] / publisher.speed
                early[slot.kind][stamp.source] = played_s - captured_s
        return [early["audio"][room] - early["video"][room] for room in early["audio"].keys() & early["video"].keys()]


class Media:
    """The thread that sends and reads. Everything of it is done there; `do` hands it work from another thread."""

    def __init__(self) -> None:
        self.publishers: dict[int, AgingPublisher] = {}
        self.watchers: dict[int, Watcher] = {}
        self.skews_s: list[float] = []
        self.packets_in = self.packets_out = 0
        self.errors: dict[str, int] = {}
        self._work: queue.SimpleQueue[Action] = queue.SimpleQueue()
        self._timetables: dict[Publisher | Watcher, Timetable] = {}
        self._readers: dict[int, Callable[[float], None]] = {}
        self._epoll = select.epoll()
        self._ends = threading.Event()
        self._compare_at = 0.0 if AgingPublisher.speed == 1 else math.inf

    async def do(self, action: Action) -> None:
        """Have the thread do `action`; returns once it has."""
        loop, done = asyncio.get_running_loop(), asyncio.Event()

        def work() -> None:
            action()
            loop.call_soon_threadsafe(done.set)

        self._work.put(work)
        await done.wait()

    def add(self, number: int, publisher: AgingPublisher, watcher: Watcher) -> None:
        now = time.monotonic()
        watcher.watch()
        self.publishers[number], self.watchers[number] = publisher, watcher
        for each in (publisher, watcher):
            timetable = self._timetables[each] = Timetable()
            each.start(timetable, now)
            timetable.add(now, each.connection.check, CHECK_S)
            descriptor = each.connection.socket.fileno()
            self._readers[descriptor] = each.receive
            self._epoll.register(descriptor, select.EPOLLIN)

    def remove(self, number: int) -> None:
        publisher, watcher = self.publishers.pop(number), self.watchers.pop(number)
        self.packets_in += publisher.packets
        self.packets_out += sum(slot.packets for slot in watcher.slots)
        for slot in watcher.slots:
            for name, count in slot.errors.items():
                self.errors[name] = self.errors.get(name, 0) + count
        for each in (publisher, watcher):
            del self._timetables[each]
            descriptor = each.connection.socket.fileno()
            del self._readers[descriptor]
            self._epoll.unregister(descriptor)

    def set_wanted(self, number: int, rid: str, wanted: bool) -> None:
        publisher = self.publishers.get(number)
        if publisher is not None:
            publisher.set_wanted(rid, wanted)

    def run(self) -> None:
        read_at = 0.0
        while not self._ends.is_set():
            while not self._work.empty():
                self._work.get()()
            now = time.monotonic()
            due = min((timetable.run(now) for timetable in self._timetables.values()), default=now + READ_S)
            if now >= read_at:
                for descriptor, _ in self._epoll.poll(0):
                    self._readers[descriptor](now)
                read_at = max(read_at + READ_S, now)
            if now >= self._compare_at:
                self._compare_at = now + 1.0
                stamped = {publisher.stamped: publisher for publisher in self.publishers.values()}
                for watcher in self.watchers.values():
                    self.skews_s += watcher.skews_s(stamped)
            time.sleep(max(0.0, min(due, read_at) - time.monotonic()))
        self._epoll.close()

    def end(self) -> None:
        self._ends.set()


class Ageing:
    """The people of the lesson, and what is seen of the node meanwhile."""

    def __init__(self, plan: Plan, lesson: Lesson, http: aiohttp.ClientSession, media: Media, speed: float) -> None:
        self._plan = plan
        self._lesson = lesson
        self._http = http
        self._media = media
        self._speed = speed
        self.rejoins = self.floors = self._joins = 0
        self.samples: list[tuple[float, float]] = []  # when, and MB

    async def join(self, number: int) -> None:
        publisher, watcher = await self._lesson.publish(number), await self._lesson.subscribe(number)
        publisher.__class__, watcher.__class__ = AgingPublisher, Watcher  # the lesson makes the plain ones
        assert isinstance(publisher, AgingPublisher)
        assert isinstance(watcher, Watcher)
        # The stamps are to tell this one from the one who was here before: packets of that one are still on the way.
        self._joins += 1
        publisher._number = self._joins & 0xFFFF
        for slot in watcher.slots:
            slot._own = publisher._number
        await self._media.do(partial(self._media.add, number, publisher, watcher))

    async def rejoin(self) -> None:
        while True:
            await asyncio.sleep(REJOIN_S / self._speed)
            number = random.randrange(ROOMS)
            leaving = self._media.publishers[number], self._media.watchers[number]
            await self._media.do(partial(self._media.remove, number))
            for each in leaving:
                await each.connection.close()
            await self.join(number)
            self.rejoins += 1

    async def give_floor(self) -> None:
        """And have the one who has it speak."""
        headers = {"Authorization": f"Bearer {self._plan.secret}"}
        order = [f"room-{number}" for number in range(ROOMS)]
        while True:
            await asyncio.sleep(FLOOR_S / self._speed)
            speaker = random.randrange(ROOMS)
            for number, publisher in list(self._media.publishers.items()):
                publisher.speaking = number == speaker
            mode = random.choice(("discussion", "called"))
            body = {"order": order, "mode": mode, "floor": order[speaker] if mode == "called" else None}
            async with self._http.put(f"{self._plan.url}/v1/bridges/bench", json=body, headers=headers) as response:
                assert response.status == 200
            self.floors += 1

    async def sample(self, until: float) -> None:
        """Every ten seconds, until then."""
        began = time.monotonic()
        while time.monotonic() < until:
            await asyncio.sleep(SAMPLE_S)
            at = time.monotonic() - began
            self.samples.append((at, resident_mb(self._plan.pid)))
            worst_ms = max(map(abs, self._media.skews_s), default=0.0) * 1000
            told = f"{self.samples[-1][1]:.1f} MB, {self.rejoins} rejoins, skew {worst_ms:.1f} ms"
            print(f"  {at / 60:5.1f} min: {told}, load of the machine {os.getloadavg()[0]:.1f}", file=sys.stderr)


def resident_mb(pid: int) -> float:
    [kib] = [line.split()[1] for line in Path(f"/proc/{pid}/status").read_text().splitlines() if "VmRSS" in line]
    return int(kib) / 1024


async def measure(minutes: float, speed: float) -> Figures:
    AgingPublisher.speed = speed
    media = Media()
    async with AsyncExitStack() as stack:
        url, pid, secret = await stack.enter_async_context(node("127.0.0.1"))
        http = await stack.enter_async_context(aiohttp.ClientSession())
        plan = Plan(url=url, secret=secret, pid=pid, rooms=ROOMS, pupils=0, warm_up_s=0, seconds=minutes * 60)
        lesson = Lesson(plan, http, stack)
        await lesson.open()
        running = asyncio.create_task(asyncio.to_thread(media.run), name="media")
        ageing = Ageing(plan, lesson, http, media, speed)
        loops = [asyncio.create_task(lesson.follow(media), name="follow the node's events")]  # type: ignore[arg-type]
        try:
            for number in range(ROOMS):
                await ageing.join(number)
            loops += [asyncio.create_task(ageing.rejoin()), asyncio.create_task(ageing.give_floor())]
            began, cpu_s = time.monotonic(), time.clock_gettime(~pid << 3 | 2)  # clock_getcpuclockid(3)
            sampling = asyncio.create_task(ageing.sample(began + minutes * 60))
            await asyncio.wait([sampling, running, *loops], return_when=asyncio.FIRST_COMPLETED)
            elapsed_s, cpu_s = time.monotonic() - began, time.clock_gettime(~pid << 3 | 2) - cpu_s
            for each in (running, *loops):
                if each.done():
                    each.result()
            sampling.result()
            for number in list(media.publishers):
                await media.do(partial(media.remove, number))
        finally:
            for each in loops:
                each.cancel()
            await asyncio.wait(loops)
            media.end()
            await running
    return figures(ageing, media, elapsed_s, cpu_s, speed)


def figures(ageing: Ageing, media: Media, elapsed_s: float, cpu_s: float, speed: float) -> Figures:
    samples = [each for each in ageing.samples if each[0] >= SETTLED_S] or ageing.samples
    late = samples[len(samples) // 2 :]
    slope = statistics.linear_regression(*zip(*late, strict=True)).slope if len(late) > 2 else 0.0
    skews_ms = sorted(abs(each) * 1000 for each in media.skews_s) or [0.0]
    return Figures(
        minutes=round(elapsed_s / 60, 1),
        speed=speed,
        rss_start_mb=round(samples[0][1], 1),
        rss_middle_mb=round(samples[len(samples) // 2][1], 1),
        rss_end_mb=round(samples[-1][1], 1),
        growth_mb_per_hour=round(slope * 3600, 2),
        cpu_percent=round(cpu_s / elapsed_s * 100, 1),
        packets_in=media.packets_in,
        packets_out=media.packets_out,
        rejoins=ageing.rejoins,
        floors=ageing.floors,
        lips=len(skews_ms),
        skew_p99_ms=round(skews_ms[int(len(skews_ms) * 0.99)], 1),
        skew_max_ms=round(skews_ms[-1], 1),
        errors=media.errors,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=120.0)
    parser.add_argument("--speed", type=float, default=1.0, help="packets and clocks run so many times as fast")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of the table")
    options = parser.parse_args()
    sys.setswitchinterval(SWITCH_S)
    found = asdict(asyncio.run(measure(options.minutes, options.speed)))
    if options.json:
        print(json.dumps(found))
        return
    for name, value in found.items():
        print(f"| {name.replace('_', ' ')} | {value} |")


if __name__ == "__main__":
    main()
