"""The load of `bench.lesson`, a process of its own: rooms that publish and subscribe, pupils who only subscribe.

Joining runs on the event loop, media in a thread of their own; what the node says of its bridge goes from one to the
other as the controller and a display would pass it on: which layers are wanted. Reads a `Plan` as one JSON line, writes
a `Result` as another.
"""

import asyncio
import json
import math
import random
import select
import sys
import time
from collections import Counter
from collections.abc import Iterable
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import aiohttp

from bench import lesson_offer as sdp
from bench.lesson_connection import Connection
from bench.lesson_publisher import LAYERS, Publisher
from bench.lesson_slot import Slot
from bench.lesson_subscriber import Subscriber
from bench.timetable import Timetable
from webrtc.shared.ids import BridgeId, ClientId, ParticipantId
from webrtc.shared.token import Claims, issue
from webrtc.transport.dtls import Certificate

THUMBNAILS, VOICES = 8, 3
STAGE_HEIGHT, THUMBNAIL_HEIGHT = 720, 180
SPEAKS_S = 5.0  # until another room speaks
STARTING_S = 4.0  # within so long all begin to send
CHECK_S = 2.5  # of consent
PUPILS_DECRYPT = 16  # one packet in so many: all of them are too many for one core; rooms decrypt each one
READ_S = 0.004  # between two rounds of reading: fewer, fuller ones cost less, and the kernel knows when packets came
SWITCH_S = 0.0005  # between the two threads
JOINING = 4  # at once
CONNECT_S = 60.0
DRAIN_S = 0.3  # after the measurement, for what is on its way or asked for again


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    url: str
    secret: str
    pid: int  # of the node
    rooms: int
    pupils: int
    warm_up_s: float
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """`wait_us`: what the node had to wait for its core each time that it had something to do, on average.

    `heights`: mean height of the stage's packets, in pixels. `empty`: slots that should have carried something.
    """

    seconds: float
    cpu_s: float
    wait_us: float
    load_cpu: float
    late_p99_ms: float
    packets_in: int
    packets_out: int
    octets_in: int
    octets_out: int
    latency_p50_ms: float
    latency_p99_ms: float
    latency_max_ms: float
    lost: int
    repaired: int
    cuts: int
    empty: int
    switches: int
    layer_switches: int
    freezes: int
    longest_gap_ms: float
    stage_height: float
    thumbnail_height: float
    keyframes: int
    probes: int
    errors: dict[str, int]


class Load:
    """The media of a lesson. `run` is the thread's; `set_wanted` may be called from another one."""

    def __init__(self, plan: Plan, publishers: list[Publisher], subscribers: list[Subscriber]) -> None:
        self._plan = plan
        self._publishers = publishers
        self._subscribers = subscribers
        self._timetable = Timetable()
        self._speaker = -1
        self._read_at = 0.0
        self._all: list[Publisher | Subscriber] = [*publishers, *subscribers]
        self._readers = {each.connection.socket.fileno(): each.receive for each in self._all}
        self._epoll = select.epoll()
        for descriptor in self._readers:
            self._epoll.register(descriptor, select.EPOLLIN)

    def set_wanted(self, number: int, rid: str, wanted: bool) -> None:
        self._publishers[number].set_wanted(rid, wanted)

    def run(self) -> Result:
        plan, now = self._plan, time.monotonic()
        for each in self._all:
            self._timetable.add(now + random.random() * STARTING_S, partial(each.start, self._timetable))
            self._timetable.add(now + random.random() * CHECK_S, each.connection.check, CHECK_S)
        self._timetable.add(now, self._change_speaker, SPEAKS_S)
        self._until(now + plan.warm_up_s)
        self._record()
        before = _Reading.take(plan, self._publishers, self._subscribers)
        self._until(time.monotonic() + plan.seconds)
        after = _Reading.take(plan, self._publishers, self._subscribers)
        self._timetable.recording = False
        for subscriber in self._subscribers:
            subscriber.recording = False
        self._until(time.monotonic() + DRAIN_S)
        self._epoll.close()
        return self._result(before, after)

    def _until(self, end: float) -> None:
        timetable, poll, readers = self._timetable, self._epoll.poll, self._readers
        while (now := time.monotonic()) < end:
            due = timetable.run(now)
            if now >= self._read_at:
                for descriptor, _ in poll(0):
                    readers[descriptor](now)
                self._read_at = max(self._read_at + READ_S, now)
            time.sleep(max(0.0, min(due, self._read_at) - time.monotonic()))

    def _record(self) -> None:
        self._timetable.recording = True
        for subscriber in self._subscribers:
            subscriber.recording = True
            for slot in subscriber.slots:
                slot.record()

    def _change_speaker(self, now: float) -> None:
        others = [number for number in range(len(self._publishers)) if number != self._speaker]
        self._speaker = random.choice(others)
        for number, publisher in enumerate(self._publishers):
            publisher.speaking = number == self._speaker

    def _result(self, before: "_Reading", after: "_Reading") -> Result:
        slots = [slot for subscriber in self._subscribers for slot in subscriber.slots]
        latencies = sorted(ns for subscriber in self._subscribers for ns in subscriber.latencies_ns)
        late = sorted(self._timetable.late_s)
        passed = after.at - before.at
        errors = sum((slot.errors for slot in slots), Counter[str]())
        errors["not authentic"] = sum(each.connection.broken for each in self._all)
        errors["unknown SSRC"] = sum(each.unknown.total() for each in self._subscribers)
        errors["not sent"] = sum(each.connection.refused for each in self._all)
        return Result(
            seconds=passed,
            cpu_s=after.cpu_s - before.cpu_s,
            wait_us=(after.waited_ns - before.waited_ns) / max(1, after.slices - before.slices) / 1e3,
            load_cpu=(after.load_cpu_s - before.load_cpu_s) / passed,
            late_p99_ms=_percentile(late, 0.99) * 1e3,
            packets_in=after.packets_in - before.packets_in,
            packets_out=after.packets_out - before.packets_out,
            octets_in=after.octets_in - before.octets_in,
            octets_out=after.octets_out - before.octets_out,
            latency_p50_ms=_percentile(latencies, 0.5) / 1e6,
            latency_p99_ms=_percentile(latencies, 0.99) / 1e6,
            latency_max_ms=latencies[-1] / 1e6,
            lost=sum(len(slot.missing) for slot in slots),
            repaired=sum(slot.repaired for slot in slots),
            cuts=sum(slot.cuts for slot in slots),
            empty=sum(self._empty(subscriber) for subscriber in self._subscribers),
            switches=sum(slot.switches for slot in slots),
            layer_switches=sum(slot.layer_switches for slot in slots),
            freezes=sum(slot.freezes for slot in slots),
            longest_gap_ms=max(slot.longest_s for slot in slots) * 1e3,
            stage_height=_height(subscriber.slots[0] for subscriber in self._subscribers if subscriber.number >= 0),
            thumbnail_height=_height(
                slot for subscriber in self._subscribers for slot in subscriber.slots[1:] if slot.kind == "video"
            ),
            keyframes=after.keyframes - before.keyframes,
            probes=after.probes - before.probes,
            errors={name: count for name, count in errors.items() if count},
        )

    def _empty(self, subscriber: Subscriber) -> int:
        """Of what others send, as much as there are slots for has to come."""
        others = self._plan.rooms - (subscriber.number >= 0)
        empty = 0
        for kind in ("video", "audio"):
            slots = [slot for slot in subscriber.slots if slot.kind == kind]
            empty += max(0, min(len(slots), others) - sum(slot.recorded > 0 for slot in slots))
        return empty


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """All counters at one moment."""

    at: float
    cpu_s: float
    waited_ns: int  # ready to run, without a core
    slices: int  # times on a core
    load_cpu_s: float
    packets_in: int
    packets_out: int
    octets_in: int
    octets_out: int
    keyframes: int
    probes: int

    @classmethod
    def take(cls, plan: Plan, publishers: list[Publisher], subscribers: list[Subscriber]) -> "_Reading":
        slots = [slot for subscriber in subscribers for slot in subscriber.slots]
        _, waited_ns, slices = map(int, Path(f"/proc/{plan.pid}/schedstat").read_text().split())
        return cls(
            at=time.monotonic(),
            cpu_s=time.clock_gettime(~plan.pid << 3 | 2),  # CPUCLOCK_SCHED of that process: see clock_getcpuclockid(3)
            waited_ns=waited_ns,
            slices=slices,
            load_cpu_s=time.process_time(),
            packets_in=sum(publisher.packets for publisher in publishers),
            packets_out=sum(slot.packets for slot in slots),
            octets_in=sum(publisher.octets for publisher in publishers),
            octets_out=sum(slot.octets for slot in slots),
            keyframes=sum(publisher.keyframes for publisher in publishers),
            probes=sum(subscriber.probes for subscriber in subscribers),
        )


def _percentile(ordered: list[float] | list[int], share: float) -> float:
    return ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)]


def _height(slots: Iterable[Slot]) -> float:
    """The mean over time, as frames of all layers come equally often."""
    frames = sum((slot.frames for slot in slots), Counter[int]())
    return sum(LAYERS[layer].height * count for layer, count in frames.items()) / max(1, frames.total())


class Lesson:
    """The rooms and pupils of one bridge, and their way in."""

    def __init__(self, plan: Plan, http: aiohttp.ClientSession, stack: AsyncExitStack) -> None:
        self._plan = plan
        self._http = http
        self._stack = stack
        self._certificate = Certificate()
        self._joining = asyncio.Semaphore(JOINING)

    async def open(self) -> None:
        headers = {"Authorization": f"Bearer {self._plan.secret}"}
        body = {"order": [_room(number) for number in range(self._plan.rooms)], "mode": "discussion", "floor": None}
        async with self._http.put(f"{self._plan.url}/v1/bridges/bench", json=body, headers=headers) as response:
            assert response.status == 201

    async def publish(self, number: int) -> Publisher:
        offer = sdp.publishing(self._certificate.fingerprint, [layer.rid for layer in LAYERS])
        connection, answer, _, _ = await self._join("whip", _room(number), offer, _host(number))
        return Publisher(number, connection, answer)

    async def subscribe(self, number: int) -> Subscriber:
        """Rooms come first, then pupils."""
        room = number < self._plan.rooms
        name = _room(number) if room else f"viewer-{number}"
        offer = sdp.subscribing(self._certificate.fingerprint, pictures=1 + THUMBNAILS if room else 1, voices=VOICES)
        connection, answer, resource, token = await self._join("whep", name, offer, _host(number))
        heights = [STAGE_HEIGHT] + [THUMBNAIL_HEIGHT] * THUMBNAILS
        pictures = [section for section in answer if section.kind == "video"]
        layout = {section.mid: {"height": height} for section, height in zip(pictures, heights, strict=False)}
        headers = {"Authorization": f"Bearer {token}"}
        async with self._http.put(f"{resource}/layout", json={"slots": layout}, headers=headers) as response:
            assert response.status == 204, await response.text()
        return Subscriber(number if room else -1, connection, answer, 1 if room else PUPILS_DECRYPT)

    async def _join(
        self, path: str, participant: str, offer: str, host: str
    ) -> tuple[Connection, list[sdp.AnsweredSection], str, str]:
        """The connection, the answer, the resource's URL and the token for it."""
        claims = Claims(
            bridge=BridgeId("bench"),
            participant=ParticipantId(participant),
            client=ClientId("display"),
            publish=path == "whip",
            subscribe=path == "whep",
        )
        token = issue(claims, secret=self._plan.secret, now=datetime.now(UTC), lifetime=timedelta(minutes=5))
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/sdp"}
        async with self._joining:
            url = f"{self._plan.url}/{path}/bench"
            async with self._http.post(url, data=offer, headers=headers) as response:
                answer = await response.text()
                assert response.status == 201, answer
                resource = self._plan.url + response.headers["Location"]
            connection = Connection(self._certificate, host)
            self._stack.push_async_callback(connection.close)
            await connection.connect(answer)
        return connection, sdp.read_answer(answer), resource, token

    async def follow(self, load: Load) -> None:
        """Tell each room which of its layers are wanted, as the controller does. Without end.

        Raises `RuntimeError` once the node has closed the socket: it does where a load that stood still read nothing.
        """
        headers = {"Authorization": f"Bearer {self._plan.secret}"}
        numbers = {_room(number): number for number in range(self._plan.rooms)}
        async with self._http.ws_connect(f"{self._plan.url}/v1/events", headers=headers, max_msg_size=0) as events:
            async for message in events:
                event = json.loads(message.data)
                for participant in event["bridge"]["participants"] if event["type"] == "bridge" else ():
                    for track in participant["tracks"]:
                        if track["rid"]:
                            load.set_wanted(numbers[participant["id"]], track["rid"], track["wanted"])
        raise RuntimeError("the node has closed its socket of events")


def _room(number: int) -> str:
    return f"room-{number}"


def _host(number: int) -> str:
    """Where a participant comes from."""
    return f"127.0.{1 + number // 200}.{1 + number % 200}"


async def measure(plan: Plan) -> Result:
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(aiohttp.ClientSession())
        lesson = Lesson(plan, http, stack)
        async with asyncio.timeout(CONNECT_S):
            await lesson.open()
            publishers = await asyncio.gather(*(lesson.publish(number) for number in range(plan.rooms)))
            clients = range(plan.rooms + plan.pupils)
            subscribers = await asyncio.gather(*(lesson.subscribe(number) for number in clients))
        load = Load(plan, list(publishers), list(subscribers))
        following = asyncio.create_task(lesson.follow(load), name="follow the node's events")
        try:
            return await asyncio.to_thread(load.run)
        finally:
            following.cancel()
            await asyncio.wait([following])


def main() -> None:
    plan = Plan(**json.loads(sys.stdin.readline()))
    sys.setswitchinterval(SWITCH_S)
    print(json.dumps(asdict(asyncio.run(measure(plan)))), flush=True)


if __name__ == "__main__":
    main()
