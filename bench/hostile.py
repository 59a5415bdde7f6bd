"""What attacks cost a node and the lesson on it: figures per kind of attack.

`python -m bench.hostile [--json] [--seconds S] [--kind NAME]`. A lesson of four rooms in three layers runs on a node;
beside it, one process attacks: strangers by datagrams and by HTTP, members with a valid token by what no browser sends.
Told of each kind: how often it was done per second, the CPU of the node, the latency that it adds to the lesson's
packets (p50, p99), packets of the lesson that got lost, the node's memory before and after, and what it refused.
"""

import argparse
import asyncio
import json
import re
import sys
import time
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from functools import partial

import aiohttp

from bench.endurance import AgingPublisher, Media, Watcher, resident_mb
from bench.forward import node
from bench.lesson_load import SWITCH_S, Lesson, Plan

ROOMS = 4
CALM_S = 3.0  # between two attacks
# How often per second; a load in Python on a shared core may manage less.
RATES = {
    "none": 0,
    "checks_of_strangers": 5000,
    "nonsense": 10_000,
    "forged": 5000,
    "wrong_tokens": 1000,
    "connections_held": 1,
    "nacks_for_all": 1000,
    "keyframes": 1000,
    "lies_of_arrivals": 500,
    "layouts": 1000,
    "sources": 5000,
    "bitrate": 10_000,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    per_s: float
    cpu_percent: float
    latency_p50_ms: float
    latency_p99_ms: float
    lost: int
    rss_before_mb: float
    rss_after_mb: float
    refused: int  # datagrams of strangers; those of members are counted with their connections


class Bench:
    def __init__(self, plan: Plan, udp_port: int, http: aiohttp.ClientSession, media: Media) -> None:
        self._plan = plan
        self._udp_port = udp_port
        self._http = http
        self._media = media
        self._latencies: list[int] = []

    async def measure(self, kind: str, seconds: float) -> Figures:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bench.hostile_attack"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        before_mb, refused = resident_mb(self._plan.pid), await self._refused()
        if kind != "none":
            order = {"kind": kind, "url": self._plan.url, "secret": self._plan.secret}
            order |= {"udp_port": str(self._udp_port), "rate": str(RATES[kind])}
            process.stdin.write(json.dumps(order).encode() + b"\n")
            begun = await process.stdout.readline()
            if not begun:
                raise RuntimeError(f"{kind}: the attack failed")
        await self._media.do(self._begin)
        began, cpu_s = time.monotonic(), self._cpu_s()
        await asyncio.sleep(seconds)
        elapsed_s, cpu_s = time.monotonic() - began, self._cpu_s() - cpu_s
        lost = await self._end()
        done = 0
        if kind == "none":
            process.kill()
        else:
            process.stdin.close()
            done = json.loads(await process.stdout.readline())["done"]
        await process.wait()
        await asyncio.sleep(CALM_S)
        latencies = sorted(self._latencies) or [0]
        return Figures(
            per_s=round(done / elapsed_s),
            cpu_percent=round(cpu_s / elapsed_s * 100, 1),
            latency_p50_ms=round(latencies[len(latencies) // 2] / 1e6, 2),
            latency_p99_ms=round(latencies[int(len(latencies) * 0.99)] / 1e6, 2),
            lost=lost,
            rss_before_mb=round(before_mb, 1),
            rss_after_mb=round(resident_mb(self._plan.pid), 1),
            refused=await self._refused() - refused,
        )

    def _begin(self) -> None:
        for watcher in self._media.watchers.values():
            watcher.recording = True
            watcher.latencies_ns.clear()
            watcher.foreign.clear()
            for slot in watcher.slots:
                slot.record()

    async def _end(self) -> int:
        """Stop to record; the packets that got lost, without those that still come."""
        await self._media.do(self._stop)
        await asyncio.sleep(0.5)
        watchers = self._media.watchers.values()
        return sum(len(slot.missing) for each in watchers for slot in each.slots if slot.ssrc not in each.foreign)

    def _stop(self) -> None:
        told = [each for watcher in self._media.watchers.values() for each in watcher.latencies_ns]
        self._latencies = [each for each in told if each > 0]  # an attacker's packets have no true stamp
        for watcher in self._media.watchers.values():
            watcher.recording = False

    def _cpu_s(self) -> float:
        return time.clock_gettime(~self._plan.pid << 3 | 2)  # clock_getcpuclockid(3)

    async def _refused(self) -> int:
        headers = {"Authorization": f"Bearer {self._plan.secret}"}
        async with self._http.get(f"{self._plan.url}/metrics", headers=headers) as response:
            found = re.search(r"^nhipcau_node_refused_datagrams_total ([\d.e+]+)", await response.text(), re.MULTILINE)
        assert found is not None
        return int(float(found[1]))


async def measure(kinds: list[str], seconds: float) -> dict[str, Figures]:
    media = Media()
    async with AsyncExitStack() as stack:
        url, pid, secret = await stack.enter_async_context(node("127.0.0.1"))
        http = await stack.enter_async_context(aiohttp.ClientSession())
        plan = Plan(url=url, secret=secret, pid=pid, rooms=ROOMS, pupils=0, warm_up_s=0, seconds=seconds)
        lesson = Lesson(plan, http, stack)
        await lesson.open()
        async with http.get(f"{url}/v1/node", headers={"Authorization": f"Bearer {secret}"}) as response:
            udp_port = (await response.json())["udp_port"]
        running = asyncio.create_task(asyncio.to_thread(media.run), name="media")
        try:
            for number in range(ROOMS):
                publisher, watcher = await lesson.publish(number), await lesson.subscribe(number)
                publisher.__class__, watcher.__class__ = AgingPublisher, Watcher
                assert isinstance(publisher, AgingPublisher)
                assert isinstance(watcher, Watcher)
                await media.do(partial(media.add, number, publisher, watcher))
            await asyncio.sleep(2 * CALM_S)
            bench = Bench(plan, udp_port, http, media)
            return {kind: await bench.measure(kind, seconds) for kind in kinds}
        finally:
            media.end()
            await running


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of the table")
    parser.add_argument("--seconds", type=float, default=5.0, help="length of each attack")
    parser.add_argument("--kind", action="append", choices=list(RATES), help="only this; repeatable")
    options = parser.parse_args()
    sys.setswitchinterval(SWITCH_S)
    figures = asyncio.run(measure(options.kind or list(RATES), options.seconds))
    if options.json:
        print(json.dumps({f"{key}_{kind}": v for kind, found in figures.items() for key, v in asdict(found).items()}))
        return
    print("| attack | per second | CPU of the node | latency p50 / p99 | lost | memory before, after | refused |")
    print("|---|---|---|---|---|---|---|")
    for kind, f in figures.items():
        print(
            f"| {kind.replace('_', ' ')} | {f.per_s:,.0f} | {f.cpu_percent:.1f} % | {f.latency_p50_ms:.2f} /"
            f" {f.latency_p99_ms:.1f} ms | {f.lost} | {f.rss_before_mb:.0f}, {f.rss_after_mb:.0f} MB | {f.refused:,} |"
        )


if __name__ == "__main__":
    main()
