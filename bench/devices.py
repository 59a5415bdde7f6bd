"""What a device costs: CPU per state message until it is a value, and time from a command to its confirmation.

`python -m bench.devices [--json]`. A real mosquitto; the devices are in a process of their own (`bench.device_peer`).
CPU is this process's, with everything it does meanwhile.
"""

import argparse
import asyncio
import getpass
import json
import shutil
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.device_peer import LEVEL, SCHOOL, device
from devices.device import Command, CommandId, CommandState
from devices.dialects.native import NativeDialect
from devices.hub import DeviceHub
from devices.mqtt.connection import MqttSettings

DEVICES = 1_000
MESSAGES_PER_S = 5_000
SECONDS = 10.0
COMMANDS = 1_000
AT_ONCE = 50


def now() -> datetime:
    return datetime.now(UTC)


@asynccontextmanager
async def mosquitto() -> AsyncIterator[int]:
    """A broker; gives its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as directory:
        configuration = Path(directory) / "mosquitto.conf"
        configuration.write_text(
            f"listener {port} 127.0.0.1\nallow_anonymous true\nuser {getpass.getuser()}\nset_tcp_nodelay true\n"
            "max_inflight_messages 0\nmax_queued_messages 0\nlog_dest none\n"
        )
        program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
        process = await asyncio.create_subprocess_exec(program, "-c", str(configuration))
        try:
            yield port
        finally:
            process.terminate()
            await process.wait()


@asynccontextmanager
async def _peer(port: int) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.device_peer", str(port), str(DEVICES), str(MESSAGES_PER_S), str(SECONDS)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.stdin is not None:
            process.stdin.close()
        await process.wait()


async def until(hub: DeviceHub, holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        with hub.changes() as changes:
            if holds():
                return
            async for _ in changes:
                if holds():
                    return


async def _reports(hub: DeviceHub, peer: asyncio.subprocess.Process) -> dict[str, float]:
    """CPU per message at the rate, from the first to the last."""
    assert peer.stdin is not None
    assert peer.stdout is not None
    last = int(MESSAGES_PER_S * SECONDS) // DEVICES - 1
    ids = [device(number).id for number in range(DEVICES)]
    cpu, wall = time.process_time(), time.monotonic()
    peer.stdin.write(b"go\n")
    sent = int(await peer.stdout.readline())
    cpu, wall = time.process_time() - cpu, time.monotonic() - wall
    arrived = sum(1 for id in ids if (level := hub.reported(id).get(LEVEL)) is not None and level.value == last)
    if arrived < DEVICES:  # the last few are still on their way
        await until(hub, lambda: all(hub.reported(id)[LEVEL].value == last for id in ids))
    return {
        "state_messages": sent,
        "state_messages_per_s": sent / wall,
        "state_message_cpu_us": cpu / sent * 1e6,
        "state_core_share": cpu / wall,
    }


async def _commands(hub: DeviceHub, *, at_once: int) -> list[float]:
    """Seconds from `send` to `confirmed`, `at_once` devices in parallel."""
    latencies: list[float] = []

    async def one_after_the_other(number: int) -> None:
        id = device(number).id
        for turn in range(COMMANDS // at_once):
            asked = Command(
                id=CommandId(f"{at_once}-{number}-{turn}"),
                device_id=id,
                property=LEVEL,
                value=500_000 + at_once * 1_000 + turn,
                deadline=now() + timedelta(seconds=10),
            )
            start = time.perf_counter()
            result = await hub.send(asked)
            latencies.append(time.perf_counter() - start)
            if result.state is not CommandState.CONFIRMED:
                raise RuntimeError(f"a command ended as {result.state} {result.code}")

    async with asyncio.TaskGroup() as tasks:
        for number in range(at_once):
            tasks.create_task(one_after_the_other(number))
    return latencies


async def measure() -> dict[str, float]:
    async with mosquitto() as port:
        hub = DeviceHub(connection=MqttSettings(host="127.0.0.1", port=port), dialects=[NativeDialect()], clock=now)
        hub.set_namespaces({SCHOOL})
        running = asyncio.create_task(hub.run())
        try:
            async with _peer(port) as peer:
                assert peer.stdout is not None
                await peer.stdout.readline()
                await until(hub, lambda: len(list(hub.devices())) == DEVICES)
                figures = await _reports(hub, peer)
                for number in range(AT_ONCE):
                    hub.claim(device(number).id, "4a")
                for name, at_once in (("1", 1), (str(AT_ONCE), AT_ONCE)):
                    cuts = statistics.quantiles(await _commands(hub, at_once=at_once), n=100)
                    figures[f"command_confirm_p50_ms_{name}"] = cuts[49] * 1000
                    figures[f"command_confirm_p99_ms_{name}"] = cuts[98] * 1000
            return figures
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object of named figures")
    arguments = parser.parse_args()
    figures = {name: round(value, 3) for name, value in asyncio.run(measure()).items()}
    if arguments.json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(f"{name:32} {value:>12,.3f}")


if __name__ == "__main__":
    main()
