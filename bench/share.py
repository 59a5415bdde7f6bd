"""What one school's flood costs the others: `others_command_p99_ms` under each kind of flood.

`python -m bench.share [--json] [--seconds S] [--kind NAME]`. A real mosquitto, a hub that keeps its devices in a real
database, as the controller does. A quiet school switches a lamp ten times a second; beside it a loud school sends what
`bench.share_flood` says. Told of each kind: how long the quiet school's commands took until they were confirmed, how
long the loop was held at most, the CPU of this process, and what the loud school was told.
"""

import argparse
import asyncio
import gc
import json
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path

from bench.device_peer import LEVEL, device
from bench.device_peer import SCHOOL as QUIET
from bench.devices import mosquitto, now, until
from bench.share_flood import SCHOOL as LOUD
from bench.share_flood import floods
from controller.config.model import sqlite_url
from controller.equipment.persistence import DeviceRecords
from devices.changes import Changes
from devices.device import Command, CommandId
from devices.dialects.homeassistant.dialect import HomeAssistantDialect
from devices.dialects.native import NativeDialect
from devices.hub import DeviceHub
from devices.mqtt.connection import MqttSettings
from rooms.school import Organisation, OrganisationId, OrganisationKind
from store import open_store
from testing.heartbeat import Heartbeat

SECONDS = 10.0
COMMAND_EVERY_S = 0.1
COMMAND_TIMEOUT_S = 60.0


@asynccontextmanager
async def child(*arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A Python process that is ready; it ends with its input."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", *arguments), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        await process.stdout.readline()
        yield process
    finally:
        process.stdin.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(10):
                await process.wait()
        if process.returncode is None:
            process.kill()
            await process.wait()


@asynccontextmanager
async def running_hub(port: int, directory: Path) -> AsyncIterator[DeviceHub]:
    """A hub for both schools, whose devices are kept in a database."""
    async with open_store(sqlite_url(directory / "bench.db")) as store:
        for id in (QUIET, LOUD):
            await store.organisations.add(Organisation(id=OrganisationId(id), kind=OrganisationKind.SCHOOL, name=id))
        hub = DeviceHub(
            connection=MqttSettings(host="127.0.0.1", port=port),
            dialects=[NativeDialect(), HomeAssistantDialect()],
            clock=now,
        )
        hub.set_namespaces({QUIET, LOUD})
        tasks = [asyncio.create_task(each) for each in (hub.run(), DeviceRecords(store, hub, Changes()).run())]
        try:
            yield hub
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def switch(hub: DeviceHub, turn: int) -> float:
    """Seconds from `send` to the end of one command of the quiet school."""
    start = time.perf_counter()
    await hub.send(
        Command(
            id=CommandId(f"quiet-{turn}"),
            device_id=device(0).id,
            property=LEVEL,
            value=500_000 + turn,
            deadline=now() + timedelta(seconds=COMMAND_TIMEOUT_S),
        )
    )
    return time.perf_counter() - start


async def measure(kind: str, seconds: float) -> dict[str, object]:
    async with AsyncExitStack() as stack:
        port = await stack.enter_async_context(mosquitto())
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        hub = await stack.enter_async_context(running_hub(port, directory))
        quiet = await stack.enter_async_context(child("bench.device_peer", str(port), "20", "100", "0.2"))
        assert quiet.stdin is not None
        await until(hub, lambda: sum(each.namespace == QUIET for each in hub.devices()) == 20)
        quiet.stdin.write(b"go\n")
        hub.claim(device(0).id, "4a")
        loud = await stack.enter_async_context(child("bench.share_flood", str(port), kind))
        announced = len(floods()[kind].announced)
        await until(hub, lambda: sum(each.namespace == LOUD for each in hub.devices()) >= announced)
        await switch(hub, 0)
        return await _flooded(hub, loud, seconds)


async def _flooded(hub: DeviceHub, loud: asyncio.subprocess.Process, seconds: float) -> dict[str, object]:
    assert loud.stdin is not None
    assert loud.stdout is not None
    latencies: list[float] = []
    gc.freeze()  # as the controller does
    heartbeat = Heartbeat()
    beating = asyncio.create_task(heartbeat.run())
    loud.stdin.write(b"go\n")
    start, cpu = time.perf_counter(), time.process_time()

    async def one(turn: int) -> None:
        latencies.append(await switch(hub, turn))

    async with asyncio.TaskGroup() as commands:
        for turn in range(1, int(seconds / COMMAND_EVERY_S)):
            commands.create_task(one(turn))
            await asyncio.sleep(COMMAND_EVERY_S)
    problems = [f"{each.code}: {each.detail}" for each in hub.problems() if each.topic.endswith("#")]
    elapsed, cpu = time.perf_counter() - start, time.process_time() - cpu
    beating.cancel()
    loud.stdin.write(b"end\n")
    with suppress(TimeoutError):
        async with asyncio.timeout(5):
            sent = int(await loud.stdout.readline() or 0)
    cuts = statistics.quantiles(latencies, n=100)
    return {
        "others_command_p50_ms": round(cuts[49] * 1e3, 1),
        "others_command_p99_ms": round(cuts[98] * 1e3, 1),
        "others_command_max_ms": round(max(latencies) * 1e3, 1),
        "loop_held_max_ms": round(heartbeat.held_s * 1e3, 1),
        "loop_held_max_cpu_ms": round(heartbeat.held_cpu_s * 1e3, 1),
        "core_share": round(cpu / elapsed, 2),
        "sent_per_s": round(sent / elapsed),
        "told": problems,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object of named figures")
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--kind", choices=list(floods()), action="append", help="one kind of flood only")
    arguments = parser.parse_args()
    figures = {}
    for kind in arguments.kind or floods():
        figures[kind] = asyncio.run(measure(kind, arguments.seconds))
        if not arguments.json:
            print(kind, *(f"  {name:24} {value}" for name, value in figures[kind].items()), sep="\n", flush=True)
    if arguments.json:
        print(json.dumps(figures))


if __name__ == "__main__":
    main()
