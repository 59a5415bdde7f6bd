"""What a province costs one controller: lists, Today, a device's report, a tap, the start, memory; and how they grow.

`python -m bench.province [--json] [--schools 631] [--postgresql]`. The controller is a process of its own over a
made-up database (`bench.province.database`); CPU is its alone. The same is measured with `FEW` schools: what decides is
the growth between the two. Milliseconds are to be read beside `yardstick_ms`, which says how fast this machine is.
"""

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import aiohttp

from bench.province.database import SCHOOLS_WITH_TEACHERS, TEACHERS, Size, make, school_id
from bench.province.pages import gear, pages, report_cpu_ms, tap_ms
from bench.province.requests import LISTS, Cost, cost
from bench.province.server import Server, serving
from testing.postgres import postgres_server

FEW = 6
TAPS = 5
YARDSTICK_ROUNDS = 5


def yardstick_ms() -> float:
    """100 encodings of a fixed object of about 100 kB, the fastest of a few rounds."""
    fixed = [{"id": f"device-{number:05}", "value": number / 7, "name": "Đèn phòng học"} for number in range(1_250)]
    rounds = []
    for _ in range(YARDSTICK_ROUNDS):
        begun = time.process_time()
        for _ in range(100):
            json.dumps(fixed)
        rounds.append((time.process_time() - begun) * 1000)
    return min(rounds)


@contextmanager
def _database(*, postgresql: bool) -> Iterator[str]:
    if not postgresql:
        yield "sqlite"
        return
    with postgres_server() as server, server.database() as url:
        yield url


Figures = dict[str, float]


async def measured(schools: int, *, postgresql: bool) -> tuple[Figures, dict[str, Cost]]:
    """The figures of a province of that size, and the cost of each list and of Today."""
    size = Size(schools)
    with tempfile.TemporaryDirectory() as name, _database(postgresql=postgresql) as url:
        directory = Path(name)
        await make(directory, size, url)
        tokens: dict[str, list[str]] = json.loads((directory / "tokens.json").read_text())
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector) as http, serving(directory, http) as server:
            figures = {
                "ready_s": server.ready_s,
                "ready_cpu_s": server.cpu_s(),
                "resident_kb": server.resident_kb(),
                "devices": float(size.devices),
            }
            await server.quiet()  # it still subscribes to what its devices say
            figures |= await _pages(http, server, tokens, size)
            await server.quiet()  # hundreds of pages have just been closed
            return figures, await _requests(http, server, tokens)


async def _pages(http: aiohttp.ClientSession, server: Server, tokens: dict[str, list[str]], size: Size) -> Figures:
    """Reports and taps, with no page open, with pages that may not see them, with pages that may."""
    figures: Figures = {}
    teachers = range(min(size.schools, SCHOOLS_WITH_TEACHERS))
    async with gear(http, server, token=tokens["technician"][0], school=0) as mqtt:
        await report_cpu_ms(server, mqtt, [])  # the first reports are written to the database, too
        alone_ms = await report_cpu_ms(server, mqtt, [])
        async with pages(http, server, tokens[school_id(2)]):
            unseen_ms = await report_cpu_ms(server, mqtt, [])
        async with pages(http, server, tokens[school_id(0)]) as seeing:
            seen_ms = await report_cpu_ms(server, mqtt, seeing)
    figures["report_alone_ms"] = alone_ms
    figures["report_seen_ms"] = seen_ms
    figures["report_unseen_us"] = max(0.0, unseen_ms - alone_ms) / TEACHERS * 1000
    figures["tap_alone_ms"] = await tap_ms(http, server, tokens, teachers[:TAPS])
    if len(teachers) == SCHOOLS_WITH_TEACHERS:
        everybody = [token for school in teachers for token in tokens[school_id(school)]]
        async with pages(http, server, everybody):
            figures["tap_500_pages_ms"] = await tap_ms(http, server, tokens, teachers[TAPS : 2 * TAPS])
        figures["pages_tap_ratio"] = figures["tap_500_pages_ms"] / figures["tap_alone_ms"]
    return figures


async def _requests(http: aiohttp.ClientSession, server: Server, tokens: dict[str, list[str]]) -> dict[str, Cost]:
    costs = {"today": await cost(http, server, "/lessons", tokens[school_id(0)][0])}
    for who, token in (("teacher", tokens[school_id(0)][0]), ("officer", tokens["officer"][0])):
        for path in LISTS:
            costs[f"{who} {path}"] = await cost(http, server, path, token)
    return costs


async def compared(schools: int, *, postgresql: bool) -> tuple[Figures, dict[str, tuple[Cost, Cost]]]:
    """All figures, and of each request the cost with `FEW` schools and with `schools`."""
    few, few_costs = await measured(FEW, postgresql=postgresql)
    many, many_costs = await measured(schools, postgresql=postgresql)
    lists = [many_costs[name].cpu_ms for name in many_costs if name != "today"]
    figures = {
        "yardstick_ms": yardstick_ms(),
        "list_ms": max(lists),
        "list_median_ms": statistics.median(lists),
        "today_ms": many_costs["today"].cpu_ms,
        "growth_ratio": max(many_costs[name].cpu_ms / few_costs[name].cpu_ms for name in many_costs),
        "ready_s": many["ready_s"],
        "ready_cpu_s": many["ready_cpu_s"],
        "kb_per_device": (many["resident_kb"] - few["resident_kb"]) / (many["devices"] - few["devices"]),
        **{name: many[name] for name in many if name.startswith(("report_", "tap_", "pages_"))},
        "given_up": float(sum(each.given_up for each in many_costs.values())),
    }
    return figures, {name: (few_costs[name], many_costs[name]) for name in many_costs}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--schools", type=int, default=631)
    parser.add_argument("--postgresql", action="store_true", help="instead of SQLite")
    parser.add_argument("--json", action="store_true", help="print one JSON object of named figures")
    arguments = parser.parse_args()
    figures, costs = asyncio.run(compared(arguments.schools, postgresql=arguments.postgresql))
    if arguments.json:
        print(json.dumps({name: round(value, 3) for name, value in figures.items()}))
        return
    print(f"| request | CPU with {FEW} schools | with {arguments.schools} | answer |\n|---|---|---|---|")
    for name, (few, many) in costs.items():
        much = f"> {many.cpu_ms:,.0f} ms, given up" if many.given_up else f"{many.cpu_ms:,.1f} ms"
        print(f"| {name} | {few.cpu_ms:,.1f} ms | {much} | {many.size / 1000:,.0f} kB |")
    for name, value in figures.items():
        print(f"{name:24} {value:>12,.3f}")


if __name__ == "__main__":
    main()
