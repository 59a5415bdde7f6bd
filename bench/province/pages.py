"""Open pages: what a device's report and a tap on Start cost while they are there."""

import asyncio
import json
import statistics
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import aiohttp

from bench.province.database import device, lesson_id, school_id
from bench.province.server import Server
from devices.mqtt.connection import Mqtt, MqttSettings, connect
from devices.mqtt.message import Publish

WAIT_S = 60.0
REPORTS = 40
REPORT_EVERY_S = 0.1  # so that no report is merged with the one before
SETTLING_S = 2.0


@dataclass(slots=True)
class Page:
    """One page's WebSocket; counts what it gets of devices."""

    socket: aiohttp.ClientWebSocketResponse
    devices: int = 0
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def read(self) -> None:
        async for message in self.socket:
            if message.type is aiohttp.WSMsgType.TEXT and json.loads(message.data).get("type") == "device":
                self.devices += 1
                self.changed.set()


@asynccontextmanager
async def pages(http: aiohttp.ClientSession, server: Server, tokens: Sequence[str]) -> AsyncIterator[list[Page]]:
    """A page for each token, open until the block ends."""
    async with AsyncExitStack() as stack, asyncio.TaskGroup() as tasks:
        opened: list[Page] = []
        for token in tokens:
            headers = {"Authorization": f"Bearer {token}"}
            socket = await stack.enter_async_context(
                http.ws_connect(f"{server.url}/api/v1/events", headers=headers, max_msg_size=0)
            )
            page = Page(socket)
            opened.append(page)
            tasks.create_task(page.read(), name="page")
        await asyncio.sleep(SETTLING_S)
        yield opened
        for page in opened:
            await page.socket.close()


@asynccontextmanager
async def gear(http: aiohttp.ClientSession, server: Server, *, token: str, school: int) -> AsyncIterator[Mqtt]:
    """The gear of one school at the broker, with a password that whoever has `token` asks for."""
    headers = {"Authorization": f"Bearer {token}"}
    address = f"{server.url}/api/v1/schools/{school_id(school)}/mqtt-password"
    async with http.post(address, headers=headers) as response:
        response.raise_for_status()
        login = await response.json()
    settings = MqttSettings(
        host="127.0.0.1", port=server.broker_port, username=login["username"], password=login["password"]
    )
    async with connect(settings) as mqtt:
        yield mqtt


async def report_cpu_ms(server: Server, mqtt: Mqtt, seeing: Sequence[Page]) -> float:
    """CPU of the controller per report of one device of school 0, until all of `seeing` have been sent it."""
    of = device(0, 0, 0)
    topic = f"sc/1/{of.namespace}/{of.key}/state"
    before, begun = server.cpu_s(), time.monotonic()
    for turn in range(REPORTS):
        for page in seeing:
            page.changed.clear()
        values = {"power": "on" if turn % 2 else "off", "temperature": 20.0 + turn}
        payload = {"v": values, "t": int(time.time() * 1000), "boot": 1, "seq": int(begun * 1000) + turn}
        await mqtt.publish(Publish(topic, json.dumps(payload).encode(), qos=1))
        async with asyncio.timeout(WAIT_S):
            for page in seeing:
                await page.changed.wait()
        await asyncio.sleep(max(0.0, begun + (turn + 1) * REPORT_EVERY_S - time.monotonic()))
    return (server.cpu_s() - before) / REPORTS * 1000


async def tap_ms(
    http: aiohttp.ClientSession, server: Server, tokens: dict[str, list[str]], schools: Sequence[int]
) -> float:
    """From the tap on Start until it is answered, median over one lesson of each of `schools`; each is ended again."""
    taken: list[float] = []
    for school in schools:
        headers = {"Authorization": f"Bearer {tokens[school_id(school)][0]}"}
        address = f"{server.url}/api/v1/lessons/{lesson_id(school, 0)}"
        begun = time.monotonic()
        async with http.post(f"{address}/start", headers=headers) as response:
            response.raise_for_status()
        taken.append((time.monotonic() - begun) * 1000)
        await asyncio.sleep(SETTLING_S)
        async with http.post(f"{address}/end", headers=headers) as response:
            response.raise_for_status()
        await asyncio.sleep(SETTLING_S)
    return statistics.median(taken)
