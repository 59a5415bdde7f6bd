"""What forwarding costs: CPU per forwarded packet of a real node, beside Debian's Janus where it is installed.

`python -m bench.forward [--json] [--rounds N] [--seconds S]`. One publisher, 20 viewers, who send the feedback that
browsers send (see `bench/forward_load.py`): the node estimates, keeps packets for repetition and reports. It runs with
each of its engines (`webrtc/forwarding/engines.py`). The server is pinned to core 0 and the load to core 1; CPU is the
kernel's clock of the server process, all threads, after warm-up, divided by the packets that the viewers received.
Loopback charges the receiving half to the sender, for every server alike. Runs of the servers interleave; medians.
What else the machine does shows in the figures, so look at the ratios. Nothing gets a real-time priority: a
bridge has none where it works, and one makes Janus cheaper and ours not.
"""

import argparse
import asyncio
import json
import math
import os
import secrets
import socket
import statistics
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import asdict, dataclass

from bench.core import on_core
from bench.forward_load import Plan, Result
from bench.janus import PROGRAM, janus
from webrtc.forwarding.engines import chosen, installed, missing

VIEWERS = 20
SERVER_CORE, LOAD_CORE = 0, 1
VIDEO, AUDIO = ("video", 1100, 5), ("audio", 80, 1)  # kind, octets per packet, packets sent at once
RATES = {"5k": 5_000, "17k": 17_000}
MAX_LOSS = 0.01
MAX_RATE_ERROR = 0.05
TRIES = 5  # of a run that the machine disturbed


@dataclass(frozen=True, slots=True)
class Case:
    kind: str
    size: int
    burst: int
    rate: str

    @property
    def name(self) -> str:
        return f"{self.kind}_{self.rate}"


CASES = [Case(*media, rate) for media in (VIDEO, AUDIO) for rate in RATES]


@asynccontextmanager
async def node(address: str, use: str = chosen.name) -> AsyncIterator[tuple[str, int, str]]:
    """A node as the controller starts it: its URL, process id and secret. `use`: one of `installed`."""
    secret = secrets.token_hex(32)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "webrtc.node", "--control", "127.0.0.1:0", "--udp", "0.0.0.0:0", "--advertise", address),
        env={**os.environ, "NHIPCAU_BRIDGE_SECRET": secret, "NHIPCAU_PURE": "1" if use == "pure" else ""},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        preexec_fn=on_core(SERVER_CORE),
    )
    try:
        assert process.stdout is not None
        yield json.loads(await process.stdout.readline())["control"], process.pid, secret
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


@asynccontextmanager
async def janus_server(address: str, event_loops: int) -> AsyncIterator[tuple[str, int, str]]:
    async with janus(address, event_loops=event_loops, core=SERVER_CORE) as (url, pid):
        yield url, pid, ""


def start(server: str, address: str) -> AbstractAsyncContextManager[tuple[str, int, str]]:
    if server in installed:
        return node(address, server)
    return janus_server(address, 1 if server == "janus_event_loops" else 0)


async def run(server: str, case: Case, address: str, seconds: float) -> tuple[Result, str]:
    """One run, and what the machine did to it ("": nothing). Raises `RuntimeError` where it came to no end."""
    async with start(server, address) as (url, pid, secret):
        plan = Plan(
            server="node" if server in installed else "janus",
            url=url,
            secret=secret,
            pid=pid,
            kind=case.kind,
            size=case.size,
            burst=case.burst,
            viewers=VIEWERS,
            packets_per_s=RATES[case.rate],
            seconds=seconds,
        )
        load = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bench.forward_load"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            preexec_fn=on_core(LOAD_CORE),
        )
        output, _ = await load.communicate(json.dumps(asdict(plan)).encode() + b"\n")
        if load.returncode:
            raise RuntimeError("the load failed")
    result = Result(**json.loads(output))
    return result, _disturbance(result, case)


def _disturbance(result: Result, case: Case) -> str:
    if not result.steady:
        return "never did all viewers get everything"
    if result.broken or abs(1 - result.received / result.sent) > MAX_LOSS:
        return f"{result.sent - result.received} of {result.sent} lost, {result.broken} broken"
    if abs(1 - result.sent / result.seconds / RATES[case.rate]) > MAX_RATE_ERROR:
        return f"{result.sent / result.seconds:.0f} packets/s instead of {RATES[case.rate]}"
    return ""


async def run_well(server: str, case: Case, address: str, seconds: float) -> tuple[float, str]:
    """CPU per forwarded packet, in microseconds: of the first undisturbed try, else of the last, and its disturbance.

    NaN where no try came to an end.
    """
    cost, said = math.nan, "no try came to an end"
    for again in range(TRIES - 1, -1, -1):
        try:
            result, disturbed = await run(server, case, address, seconds)
        except RuntimeError as error:
            print(f"  {server}, {case.name}: {error}; {again} more", file=sys.stderr)
            continue
        if result.received:
            cost, said = result.cpu_s / result.received * 1e6, disturbed
        if not disturbed:
            break
        print(f"  {server}, {case.name}: {disturbed}; {again} more", file=sys.stderr)
    return cost, said


async def measure(
    cases: Sequence[Case], servers: Sequence[str], rounds: int, seconds: float
) -> tuple[dict[str, float], list[str]]:
    """The figures, and what disturbed them."""
    address, disturbed = own_address(), []
    costs: dict[tuple[str, str], list[float]] = {(case.name, server): [] for case in cases for server in servers}
    for case in cases:
        for _ in range(rounds):
            for server in servers:
                cost, said = await run_well(server, case, address, seconds)
                costs[case.name, server].append(cost)
                if said:
                    disturbed.append(f"{server}, {case.name}: {said}")
    figures: dict[str, float] = {}
    for (name, server), values in costs.items():
        figures[f"{server}_{name}_us"] = round(statistics.median(values), 2)
        figures[f"{server}_{name}_min_us"], figures[f"{server}_{name}_max_us"] = (
            round(min(values), 2),
            round(max(values), 2),
        )
    for case in cases:
        for each in installed:
            for server in servers[len(installed) :]:
                ratio = round(figures[f"{each}_{case.name}_us"] / figures[f"{server}_{case.name}_us"], 3)
                for prefix in (f"{each}_", "") if each == chosen.name else (f"{each}_",):
                    figures[f"{prefix}ratio_{server}_{case.name}"] = ratio
                    if case.kind == "video":
                        figures[f"{prefix}ratio_{server}_{case.rate}"] = ratio
    return figures, disturbed


def own_address() -> str:
    """The machine's address towards others; nothing is sent. Janus does not take 127.0.0.1 as a candidate."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("198.51.100.1", 9))
        address: str = probe.getsockname()[0]
        return address


def print_table(figures: dict[str, float], cases: Sequence[Case], servers: Sequence[str]) -> None:
    print(f"CPU us per forwarded packet, {VIEWERS} viewers: median [min-max]")
    heads = [f"{server:>26}" for server in servers] + [f"{f'{each} / Janus':>18}" for each in installed]
    print(f"{'':12}" + "".join(heads))
    for case in cases:
        cells = [
            "{:.2f} [{:.2f}-{:.2f}]".format(
                *(figures[f"{server}_{case.name}_{end}"] for end in ("us", "min_us", "max_us"))
            )
            for server in servers
        ]
        for each in installed:
            ratios = [figures[f"{each}_ratio_{server}_{case.name}"] for server in servers[len(installed) :]]
            cells.append(" / ".join(f"{ratio:.2f}" for ratio in ratios))
        print(
            f"{case.name:12}" + "".join(f"{cell:>{26 if at < len(servers) else 18}}" for at, cell in enumerate(cells))
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of the table")
    parser.add_argument("--rounds", type=int, default=3, help="runs per figure; fewer than 3 are not a measurement")
    parser.add_argument("--seconds", type=float, default=4.0, help="length of a run, after its warm-up")
    parser.add_argument("--case", action="append", choices=[case.name for case in CASES], help="only this; repeatable")
    options = parser.parse_args()
    servers = list(installed)
    if missing:
        print(f"figures without the fast engine: {missing}", file=sys.stderr if options.json else sys.stdout)
    if PROGRAM is not None:
        servers += ["janus_default", "janus_event_loops"]
    else:
        print("janus is not installed: figures without it", file=sys.stderr if options.json else sys.stdout)
    cases = [case for case in CASES if not options.case or case.name in options.case]
    figures, disturbed = asyncio.run(measure(cases, servers, options.rounds, options.seconds))
    if options.json:
        known = {name: value for name, value in figures.items() if not math.isnan(value)}
        print(json.dumps({**known, "disturbed": disturbed}))
    else:
        print_table(figures, cases, servers)
        for each in disturbed:
            print(f"disturbed: {each}")


if __name__ == "__main__":
    main()
