"""What a whole lesson costs: rooms that send and receive like real ones, on one node pinned to one core.

`python -m bench.lesson [--json] [--runs N] [--seconds S] [--case NAME] [--plot FILE]`. Each room publishes three
simulcast layers and a microphone, switches layers off that nobody watches, and receives stage, eight thumbnails and
three voices with all feedback of a browser; another room speaks every few seconds. Pupils only receive, stage and
voices. The node is pinned to core 0, the load to core 1; CPU is the kernel's clock of the node's process, and loopback
charges the receiving half to it. Added latency is from before a packet is encrypted in the sender to the kernel's
timestamp at the receiver. Rooms decrypt every packet and check every slot as a decoder would, pupils decrypt one in 16.
Medians of the runs. `ratio_to_floor`: the CPU of a packet out beside that of one that is protected and sent once, in
the same run (`bench/packet_floor.py`). Where the machine disturbs each try, the last is taken; `disturbed` says how.
"""

import argparse
import asyncio
import json
import os
import statistics
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.forward import LOAD_CORE, node
from bench.lesson_load import Plan, Result
from bench.lesson_plot import Panel, Point, draw
from bench.packet_floor import floor_us

ADDRESS = "127.0.0.1"
MAX_LATE_MS = 10.0  # p99 of what the load sends: half the time of a sound packet
MAX_WAIT_US = 200.0  # for the node's core, each time that it had something to do, on average
TRIES = 5  # of a run that the machine disturbed; the last is taken as it is
AIMS = {"cpu_percent_21": 25.0, "latency_p99_ms_21": 10.0, "lost_21": 0.0}


@dataclass(frozen=True, slots=True)
class Case:
    rooms: int
    pupils: int = 0

    @property
    def name(self) -> str:
        return f"{self.rooms}_{self.pupils}" if self.pupils else str(self.rooms)

    @property
    def label(self) -> str:
        return f"{self.rooms} + {self.pupils}" if self.pupils else str(self.rooms)


CASES = [Case(2), Case(5), Case(10), Case(21), Case(40), Case(21, pupils=100)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Of one case; `lost` to `errors` are the worst run's."""

    cpu_percent: float
    us_per_packet: float
    floor_us_per_packet: float
    ratio_to_floor: float
    packets_in_s: float
    packets_out_s: float
    mbit_out_s: float
    latency_p50_ms: float
    latency_p99_ms: float
    lost: int
    empty: int
    errors: int
    freezes: int
    longest_gap_ms: float
    switches: int
    stage_height: float
    thumbnail_height: float
    late_p99_ms: float
    load_percent: float
    disturbed: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """`floor_us`: of a packet as large as those of this run. `disturbed`: what the machine did to it, "": nothing."""

    result: Result
    floor_us: float
    disturbed: str


async def run(case: Case, warm_up_s: float, seconds: float) -> Run:
    """One run. Raises `RuntimeError` where it came to no end."""
    async with node(ADDRESS) as (url, pid, secret):
        plan = Plan(
            url=url,
            secret=secret,
            pid=pid,
            rooms=case.rooms,
            pupils=case.pupils,
            warm_up_s=warm_up_s,
            seconds=seconds,
        )
        first(pid)
        load = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bench.lesson_load"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            preexec_fn=lambda: os.sched_setaffinity(0, {LOAD_CORE}),
        )
        first(load.pid)
        output, _ = await load.communicate(json.dumps(asdict(plan)).encode() + b"\n")
    if load.returncode:
        raise RuntimeError("the load failed")
    result = Result(**json.loads(output))
    floor = await floor_us(round(result.octets_out / result.packets_out))
    return Run(result=result, floor_us=floor, disturbed=_disturbance(result))


def _disturbance(result: Result) -> str:
    if result.late_p99_ms > MAX_LATE_MS:
        return f"the load was late by {result.late_p99_ms:.1f} ms (p99), its CPU {result.load_cpu:.0%}"
    if result.wait_us > MAX_WAIT_US:
        return f"the node had to wait for its core, {result.wait_us:.0f} us each time"
    return ""


def first(pid: int) -> None:
    """Let a process run before all ordinary ones where we may: other work on the machine is no part of the figures."""
    with suppress(PermissionError):
        os.sched_setscheduler(pid, os.SCHED_FIFO, os.sched_param(1))


async def run_well(case: Case, warm_up_s: float, seconds: float) -> Run | None:
    """The first undisturbed of a few tries, else the last; None where none came to an end."""
    last = None
    for again in range(TRIES - 1, -1, -1):
        try:
            last = await run(case, warm_up_s, seconds)
        except RuntimeError as error:
            print(f"  {case.label}: {error}; {again} more", file=sys.stderr)
            continue
        said = {
            name: round(value, 2) if isinstance(value, float) else value for name, value in asdict(last.result).items()
        }
        print(f"  {case.label}: {said}", file=sys.stderr)
        if not last.disturbed:
            break
        print(f"  {case.label}: {last.disturbed}; {again} more", file=sys.stderr)
    return last


async def measure(cases: Sequence[Case], runs: int, warm_up_s: float, seconds: float) -> dict[Case, Figures]:
    """Of the cases that came to an end."""
    figures = {}
    for case in cases:
        made = [await run_well(case, warm_up_s, seconds) for _ in range(runs)]
        if ended := [each for each in made if each is not None]:
            figures[case] = summary(ended)
        else:
            print(f"  {case.label}: no figures, no try came to an end", file=sys.stderr)
    return figures


def summary(runs: Sequence[Run]) -> Figures:
    results = [each.result for each in runs]
    costs_us = [each.result.cpu_s / each.result.packets_out * 1e6 for each in runs]

    def median(values: Sequence[float], digits: int = 1) -> float:
        return round(statistics.median(values), digits)

    return Figures(
        cpu_percent=median([r.cpu_s / r.seconds * 100 for r in results]),
        us_per_packet=median(costs_us, 2),
        floor_us_per_packet=median([each.floor_us for each in runs], 2),
        ratio_to_floor=median([cost / each.floor_us for cost, each in zip(costs_us, runs, strict=True)], 2),
        packets_in_s=median([r.packets_in / r.seconds for r in results], 0),
        packets_out_s=median([r.packets_out / r.seconds for r in results], 0),
        mbit_out_s=median([r.octets_out * 8e-6 / r.seconds for r in results]),
        latency_p50_ms=median([r.latency_p50_ms for r in results], 2),
        latency_p99_ms=median([r.latency_p99_ms for r in results], 2),
        lost=max(r.lost for r in results),
        empty=max(r.empty for r in results),
        errors=max(sum(r.errors.values()) for r in results),
        freezes=max(r.freezes for r in results),
        longest_gap_ms=median([r.longest_gap_ms for r in results], 0),
        switches=round(statistics.median(r.switches for r in results)),
        stage_height=median([r.stage_height for r in results], 0),
        thumbnail_height=median([r.thumbnail_height for r in results], 0),
        late_p99_ms=median([r.late_p99_ms for r in results]),
        load_percent=median([r.load_cpu * 100 for r in results]),
        disturbed=[each.disturbed for each in runs if each.disturbed],
    )


def print_table(figures: Mapping[Case, Figures]) -> None:
    print(
        "| rooms + pupils | CPU of a core | packets/s in | out | µs per packet out | × floor | added latency p50 / p99"
        " | lost | slots empty | decode errors | switches | stage, thumbnails |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|---|---|")
    for case, f in figures.items():
        print(
            f"| {case.label} | {f.cpu_percent:.1f} % | {f.packets_in_s:,.0f} | {f.packets_out_s:,.0f} |"
            f" {f.us_per_packet:.1f} | {f.ratio_to_floor:.1f} |"
            f" {f.latency_p50_ms:.2f} / {f.latency_p99_ms:.1f} ms | {f.lost} | {f.empty} |"
            f" {f.errors} | {f.switches} | {f.stage_height:.0f}p, {f.thumbnail_height:.0f}p |"
        )


def plot(figures: Mapping[Case, Figures]) -> str:
    def panel(title: str, unit: str, name: str, aim: float) -> Panel:
        values = {case: float(getattr(found, name)) for case, found in figures.items()}
        return Panel(
            title=title,
            unit=unit,
            line=[Point(case.rooms, value, case.label) for case, value in values.items() if not case.pupils],
            others=[Point(case.rooms, value, f"{case.label} pupils") for case, value in values.items() if case.pupils],
            aim=Point(21, aim, f"aim: {aim:.0f} {unit}"),
        )

    return draw(
        [
            panel("CPU of one core", "%", "cpu_percent", AIMS["cpu_percent_21"]),
            panel("added latency, p99", "ms", "latency_p99_ms", AIMS["latency_p99_ms_21"]),
        ],
        x="rooms in the lesson",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of the table")
    parser.add_argument("--runs", type=int, default=3, help="per case; fewer than 3 are not a measurement")
    parser.add_argument("--warm-up", type=float, default=15.0, help="seconds until the estimates of the links stand")
    parser.add_argument("--seconds", type=float, default=10.0, help="length of a run, after its warm-up")
    parser.add_argument("--case", action="append", choices=[case.name for case in CASES], help="only this; repeatable")
    parser.add_argument("--plot", type=Path, help="write the growth as SVG")
    options = parser.parse_args()
    cases = [case for case in CASES if not options.case or case.name in options.case]
    figures = asyncio.run(measure(cases, options.runs, options.warm_up, options.seconds))
    if options.json:
        print(
            json.dumps(
                {f"{key}_{case.name}": value for case, found in figures.items() for key, value in asdict(found).items()}
            )
        )
    else:
        print_table(figures)
        for case, found in figures.items():
            for each in found.disturbed:
                print(f"{case.label}: disturbed: {each}")
    if options.plot:
        options.plot.write_text(plot(figures), encoding="utf-8")


if __name__ == "__main__":
    main()
