"""Bad links: a room whose display reaches the bridge over loss, delay, jitter, reordering, narrow links and blackouts.

A whole house on this machine and Chromium as the displays. The display of the first room lives in a network namespace
behind a wire that does what the scenario says to every IP packet, signalling too; the other rooms have good links.
Figures are the browsers' own (`getStats`). Linux, root. docs/links.md says what the columns mean.

    python -m bench.links [--only NAME ...] [--rooms 3] [--json FILE]
"""

import argparse
import asyncio
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path

import aiohttp
from playwright.async_api import Page

from bench.link_school import School, chromium_at, school
from bench.link_turn import PORT as TURN_PORT
from bench.link_turn import turn
from bench.link_wire import NODE_ADDRESS, Wire
from testing.browser import open_display, page_of
from testing.installation import House, two_classrooms
from testing.links.conditions import DARK, Conditions
from testing.links.stats import Reception, Snapshot, hook, reception, snapshot
from webrtc.node.arguments import SECRET_VARIABLE

SNAPSHOT_EVERY_S = 0.25
NODE_EVERY_S = 0.5
GOOD_FIRST_S = 6.0  # on a good link before each scenario, so that none inherits the trouble of the one before
JOIN_LIMIT_S = 30.0
CONCEALED_LIMIT = 0.03
BACK_LIMIT_S = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """`inwards`: what the school receives; `outwards`: what another room receives of all, the school among them.

    `join_s`: from opening the page under these conditions to a picture; `back_s`: from the end of a blackout to a
    picture and sound at the school, and at the other room `seen_s`. None: not asked for, or not within the limit.
    """

    inwards: Reception
    outwards: Reception
    route: str = ""
    tcp_bps: tuple[float, ...] = (0.0, 0.0)  # to the school and from it, signalling mostly
    load: float = 0.0  # processes that would run, on average of the last minute
    join_s: float | None = None
    back_s: float | None = None
    seen_s: float | None = None


Check = Callable[[Outcome], str]
"""What is not as it should be, in words; empty where all is well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """`dark_s`: a blackout, after which `wire` holds. `join`: whether the page is also opened under the conditions."""

    name: str
    wire: Wire
    checks: tuple[Check, ...] = ()
    settle_s: float = 8.0
    measure_s: float = 20.0
    dark_s: float = 0.0
    join: bool = True


def both(conditions: Conditions) -> Wire:
    return Wire(up=conditions, down=conditions)


def speech(outcome: Outcome) -> str:
    worst = max(outcome.inwards.concealed, outcome.outwards.concealed)
    return "" if worst < CONCEALED_LIMIT else f"{worst:.1%} of the sound concealed"


def moving(outcome: Outcome) -> str:
    stopped = max(outcome.inwards.stage_stopped_s, outcome.outwards.stage_stopped_s)
    return "" if stopped < 1.0 and outcome.inwards.stage_fps > 5 else f"the picture stood still for {stopped:.1f} s"


def stayed(outcome: Outcome) -> str:
    opened = outcome.inwards.connections
    return "" if opened == 0 else f"{opened} connections made anew"


def lowest(outcome: Outcome) -> str:
    height = outcome.inwards.stage_height
    return "" if 0 < height <= 180 else f"the stage is {height} lines high"


def joined(outcome: Outcome) -> str:
    return "" if outcome.join_s is not None else f"no picture {JOIN_LIMIT_S:.0f} s after opening the page"


def back(outcome: Outcome) -> str:
    if outcome.back_s is None or outcome.seen_s is None:
        return "not back"
    late = max(outcome.back_s, outcome.seen_s)
    return "" if late <= BACK_LIMIT_S else f"back after {late:.1f} s"


def lasting(outcome: Outcome) -> str:
    """After a blackout: back, and not gone again."""
    again = max(outcome.inwards.stage_stopped_s, outcome.outwards.stage_stopped_s)
    return "" if again < 1.5 else f"gone again for {again:.1f} s"


LOSSY_FAR = Conditions(loss=0.05, delay_s=0.150)
NARROW = Conditions(rate_bps=300_000, delay_s=0.020)
MOUNTAIN = Conditions(rate_bps=2_000_000, loss=0.05, delay_s=0.030)

SCENARIOS = (
    Scenario(name="good link", wire=Wire(), checks=(speech, moving, stayed, joined)),
    Scenario(name="5 % loss, 300 ms round trip", wire=both(LOSSY_FAR), checks=(speech, moving, stayed, joined)),
    Scenario(
        name="10 % loss, 100 ms round trip",
        wire=both(Conditions(loss=0.10, delay_s=0.050)),
        checks=(moving, stayed, joined),
    ),
    Scenario(
        name="300 kbit/s down",
        wire=Wire(down=NARROW, up=Conditions(delay_s=0.020)),
        checks=(speech, lowest, stayed, joined),
        settle_s=12,
    ),
    Scenario(name="2 Mbit/s, 5 % loss", wire=both(MOUNTAIN), checks=(speech, moving, stayed, joined), settle_s=12),
    Scenario(
        name="300 kbit/s up",
        wire=Wire(up=NARROW, down=Conditions(delay_s=0.020)),
        checks=(speech, moving, stayed, joined),
        settle_s=12,
    ),
    Scenario(
        name="50 ms jitter",
        wire=both(Conditions(delay_s=0.020, jitter_s=0.050)),
        checks=(speech, moving, stayed, joined),
    ),
    Scenario(
        name="5 % reordered",
        wire=both(Conditions(delay_s=0.020, reorder=0.05)),
        checks=(speech, moving, stayed, joined),
    ),
    Scenario(
        name="2 s round trip",
        wire=both(Conditions(delay_s=1.0)),
        checks=(speech, moving, stayed, joined),
        settle_s=15,
    ),
    Scenario(name="6 s blackout", wire=Wire(), dark_s=6, checks=(back, lasting), join=False, measure_s=15),
    Scenario(name="12 s blackout", wire=Wire(), dark_s=12, checks=(back, lasting), join=False, measure_s=15),
    Scenario(name="20 s blackout", wire=Wire(), dark_s=20, checks=(back, lasting), join=False, measure_s=15),
    Scenario(name="30 s blackout", wire=Wire(), dark_s=30, checks=(back, lasting), join=False, measure_s=15),
    Scenario(name="UDP blocked", wire=Wire(udp=False), checks=(joined, speech, moving)),
    Scenario(
        name="only TCP 443 and the web",
        wire=Wire(udp=False, tcp_ports=(TURN_PORT,)),
        checks=(joined, speech, moving),
        settle_s=10,  # a browser notices after 5 s that the direct way is gone
    ),
)


class NodeView:
    """What the node says of a participant over time, for the trace."""

    def __init__(self, house: House, participant: str, http: aiohttp.ClientSession) -> None:
        self._house = house
        self._participant = participant
        self._http = http
        self.seen: list[dict[str, object]] = []

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                self.seen += await self._ask()
            except (aiohttp.ClientError, OSError, ValueError, KeyError) as error:
                self.seen.append({"at_s": time.time(), "error": repr(error)})
            await asyncio.sleep(NODE_EVERY_S)

    async def _ask(self) -> list[dict[str, object]]:
        (state,) = self._house.directory.glob("data/**/bridge-0.state")
        read = json.loads(state.read_text())
        environment = Path(f"/proc/{read['process']['pid']}/environ").read_bytes().decode().split("\0")  # noqa: ASYNC240
        (secret,) = [each.partition("=")[2] for each in environment if each.startswith(f"{SECRET_VARIABLE}=")]
        headers = {"Authorization": f"Bearer {secret}"}
        async with self._http.get(f"{read['data']['control']}/v1/bridges", headers=headers) as response:
            answer = await response.json()
        return [
            {"at_s": round(time.time(), 2), **participant}
            for bridge in answer["bridges"]
            for participant in bridge["participants"]
            if participant["id"] == self._participant
        ]


@dataclass(slots=True)
class Watch:
    """Takes snapshots of the school's page and of another room's all the time."""

    far: Page
    near: Page
    seen_far: list[Snapshot] = field(default_factory=list)
    seen_near: list[Snapshot] = field(default_factory=list)

    async def during(self, duration_s: float) -> None:
        loop = asyncio.get_running_loop()
        end = loop.time() + duration_s
        while (left := end - loop.time()) > 0:
            await asyncio.sleep(min(left, SNAPSHOT_EVERY_S))
            await self.look()

    async def look(self) -> tuple[Snapshot, Snapshot]:
        far, near = await asyncio.gather(snapshot(self.far), snapshot(self.near))
        self.seen_far.append(far)
        self.seen_near.append(near)
        return far, near

    async def measured(self, duration_s: float) -> tuple[Reception, Reception]:
        first = len(self.seen_far)
        await self.look()
        await self.during(duration_s)
        return reception(self.seen_far[first:]), reception(self.seen_near[first:])


def received_octets(seen: Snapshot) -> int:
    return sum(each.octets for each in seen.audio.values())


class Bench:
    """One lesson; the scenarios one after the other."""

    def __init__(self, school: School, house: House, watch: Watch) -> None:
        self._school = school
        self._house = house
        self._watch = watch
        self.trace: dict[str, list[dict[str, object]]] = {}

    async def run(self, scenario: Scenario) -> Outcome:
        watch = self._watch
        await self._good()
        first = len(watch.seen_far)
        back_s = seen_s = None
        if scenario.dark_s:
            back_s, seen_s = await self._darken(scenario)
        else:
            await self._school.set(self._allowing_signalling(scenario.wire))
            await watch.during(scenario.settle_s)
        before = await self._school.counters()
        inwards, outwards = await watch.measured(scenario.measure_s)
        after = await self._school.counters()
        route = self._route()
        join_s = await self._join() if scenario.join else None
        self.trace[scenario.name] = [_brief(seen) for seen in watch.seen_far[first:]]
        return Outcome(
            load=os.getloadavg()[0],
            tcp_bps=tuple(
                8 * (after[key] - before[key]) / scenario.measure_s for key in ("down_tcp_octets", "up_tcp_octets")
            ),
            inwards=inwards,
            outwards=outwards,
            route=self._route() or route,
            join_s=join_s,
            back_s=back_s,
            seen_s=seen_s,
        )

    def _allowing_signalling(self, wire: Wire) -> Wire:
        """With the controller's port open, without which there is no page."""
        if wire.tcp_ports is None:
            return wire
        port = int(self._house.url.rsplit(":", 1)[1])
        return Wire(up=wire.up, down=wire.down, udp=wire.udp, tcp_ports=(*wire.tcp_ports, port))

    async def _good(self) -> None:
        await self._school.set(Wire())
        loop = asyncio.get_running_loop()
        end = loop.time() + JOIN_LIMIT_S
        before, _ = await self._watch.look()
        while True:
            await self._watch.during(1.0)
            now, _ = await self._watch.look()
            if now.frames > before.frames > 0 and len(now.states) <= 3:
                break
            if loop.time() > end:
                await self._watch.far.reload()
                end = loop.time() + JOIN_LIMIT_S
            before = now
        await self._watch.during(GOOD_FIRST_S)

    async def _darken(self, scenario: Scenario) -> tuple[float | None, float | None]:
        """Until the pictures and the sound are back at both ends: seconds since the link is."""
        watch = self._watch
        await self._school.set(both(DARK))
        await watch.during(scenario.dark_s)
        far_before, near_before = watch.seen_far[-1], watch.seen_near[-1]
        await self._school.set(scenario.wire)
        loop = asyncio.get_running_loop()
        mended_at = loop.time()
        back_s = seen_s = None
        while loop.time() - mended_at < JOIN_LIMIT_S and (back_s is None or seen_s is None):
            await asyncio.sleep(0.05)
            far, near = await watch.look()
            passed_s = loop.time() - mended_at
            if back_s is None and _flows(far_before, far):
                back_s = passed_s
            if seen_s is None and _flows(near_before, near, slots=self._near_slots()):
                seen_s = passed_s
            far_before = far if far.states.keys() != far_before.states.keys() else far_before
        return back_s, seen_s

    def _near_slots(self) -> int:
        """How many pictures the other room gets when all is well."""
        return len(self._house.classrooms) - 1

    async def _join(self) -> float | None:
        """From opening the page to its first picture; None if it takes too long."""
        loop = asyncio.get_running_loop()
        watch = self._watch
        started = loop.time()
        try:
            async with asyncio.timeout(JOIN_LIMIT_S):
                await watch.far.reload(wait_until="commit")
                while (await watch.look())[0].frames == 0:
                    await watch.far.wait_for_timeout(50)
        except TimeoutError:
            return None
        return loop.time() - started

    def _route(self) -> str:
        routes = self._watch.seen_far[-1].routes.values()
        return ", ".join(sorted({f"{route.protocol} {route.kind}" for route in routes}))


def _flows(before: Snapshot, now: Snapshot, *, slots: int = 1) -> bool:
    """Whether `slots` slots have new frames, and sound has come in, since `before`."""
    moving = [key for key, each in now.video.items() if each.frames > getattr(before.video.get(key), "frames", 0)]
    return len(moving) >= slots and received_octets(now) > received_octets(before)


def _brief(seen: Snapshot) -> dict[str, object]:
    """A line of the trace."""
    return {
        "at_s": round(seen.at_s, 2),
        "states": seen.states,
        "video": {f"{n}/{mid}": [v.height, v.frames, v.packets, v.lost, v.nacks] for (n, mid), v in seen.video.items()},
        "audio": {f"{n}/{mid}": [a.packets, a.lost, a.concealed, a.samples] for (n, mid), a in seen.audio.items()},
        "sent": {
            f"{n}/{layer}": [s.height, s.frames, s.octets, s.limited_by] for (n, layer), s in seen.sent_video.items()
        },
        "routes": {n: [r.protocol, r.kind, r.round_trip_s, r.outgoing_bps] for n, r in seen.routes.items()},
    }


async def measured(scenarios: tuple[Scenario, ...], rooms: int, trace_file: Path | None) -> dict[str, Outcome]:
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)  # leave no namespace behind
    async with AsyncExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        far_school = await stack.enter_async_context(school())
        server = await stack.enter_async_context(turn(NODE_ADDRESS, directory=directory))
        house = await stack.enter_async_context(
            two_classrooms(directory / "house", host=NODE_ADDRESS, bridge_config=server.config)
        )
        for number in range(2, rooms):
            await house.add_classroom("truong-b", f"p{number}", devices=False)
        inside = await stack.enter_async_context(chromium_at(house.url, directory=directory, in_school=True))
        outside = await stack.enter_async_context(chromium_at(house.url, directory=directory, in_school=False))
        pages: list[Page] = []
        for classroom in house.classrooms:
            page = await stack.enter_async_context(page_of(outside if pages else inside))
            await hook(page)
            await open_display(page, house, classroom)
            pages.append(page)
        await house.start_lesson(await house.plan_lesson(*house.classrooms))
        http = await stack.enter_async_context(aiohttp.ClientSession())
        node = NodeView(house, house.classrooms[0].room_id, http)
        viewing = asyncio.create_task(node.run(), name="view the node")
        stack.callback(viewing.cancel)
        bench = Bench(far_school, house, Watch(far=pages[0], near=pages[1]))
        outcomes: dict[str, Outcome] = {}
        try:
            for scenario in scenarios:
                outcomes[scenario.name] = outcome = await bench.run(scenario)
                print(row(scenario, outcome), flush=True)
        finally:
            if trace_file is not None:
                trace_file.write_text(json.dumps({"scenarios": bench.trace, "node": node.seen}))  # noqa: ASYNC240  # all is over
        return outcomes


HEAD = (
    "| link | | voices | concealed | buffer ms | picture | fps | stood still s | freezes | lost | repaired | kbit/s "
    "| TCP | join s | back s | not as it should be |\n" + "|---" * 16 + "|"
)


def row(scenario: Scenario, outcome: Outcome) -> str:
    problems = "; ".join(problem for check in scenario.checks if (problem := check(outcome)))
    lines = []
    for name, got, back_s in (("in", outcome.inwards, outcome.back_s), ("out", outcome.outwards, outcome.seen_s)):
        first = name == "in"
        cells = (
            scenario.name if first else f"({outcome.route})",
            name,
            f"{got.voices}",
            f"{got.concealed:.1%}",
            f"{1000 * got.voice_buffer_s:.0f}",
            f"{got.stage_height}p, {got.pictures}",
            f"{got.stage_fps:.0f}",
            f"{got.stage_stopped_s:.1f}",
            f"{got.freezes} ({got.frozen_s:.1f} s)",
            f"{got.lost:.1%}",
            f"{got.repaired}/{got.nacks}",
            f"{got.bits_per_s / 1000:.0f}",
            f"{outcome.tcp_bps[0 if first else 1] / 1000:.0f}",
            _seconds(outcome.join_s) if first and scenario.join else "",
            _seconds(back_s) if scenario.dark_s else "",
            problems if first else f"machine's load {outcome.load:.0f}",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _seconds(value: float | None) -> str:
    return "never" if value is None else f"{value:.1f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--only", nargs="+", default=[], metavar="NAME", help="scenarios whose name contains one of these"
    )
    parser.add_argument("--rooms", type=int, default=3)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    parser.add_argument("--trace", type=Path, metavar="FILE", help="write what was seen over time there")
    options = parser.parse_args()
    chosen = tuple(each for each in SCENARIOS if not options.only or any(part in each.name for part in options.only))
    print(HEAD, flush=True)
    try:
        outcomes = asyncio.run(measured(chosen, options.rooms, options.trace))
    except (PermissionError, FileNotFoundError) as error:
        sys.exit(str(error))
    if options.json is not None:
        options.json.write_text(json.dumps({name: asdict(outcome) for name, outcome in outcomes.items()}, indent=1))


if __name__ == "__main__":
    main()
