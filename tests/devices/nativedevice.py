"""A native device for tests: a real MQTT client that does as it is told, or not."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import count

from devices.device import (
    Capability,
    Command,
    CommandId,
    Device,
    DeviceId,
    DeviceType,
    Kind,
    Namespace,
    Property,
    PropertyName,
    Value,
)
from devices.dialects import native_device as native_device_side
from devices.dialects.native import NAME, native_id
from devices.hub import DeviceHub
from devices.mqtt.connection import Mqtt, MqttSettings, connect
from devices.mqtt.message import Message, Publish

SCHOOL = Namespace("le-loi")
POWER = PropertyName("power")
LEVEL = PropertyName("level")
BUZZ = PropertyName("button.buzz")

PROPERTIES = (
    Property(
        name=POWER,
        capability=Capability.POWER,
        kind=Kind.ENUM,
        options=("off", "on"),
        settable=True,
    ),
    Property(
        name=LEVEL,
        capability=Capability.LEVEL,
        kind=Kind.NUMBER,
        unit="%",
        minimum=0,
        maximum=100,
        step=1,
        settable=True,
    ),
    Property(
        name=BUZZ,
        capability=Capability.BUTTON,
        kind=Kind.ENUM,
        options=("press",),
        settable=True,
        reported=False,
    ),
)
_numbers = count(1)


def described(room: str = "r1", name: str = "projector", properties: tuple[Property, ...] = PROPERTIES) -> Device:
    return Device(
        id=native_id(SCHOOL, room, name),
        namespace=SCHOOL,
        dialect=NAME,
        key=f"{room}/{name}",
        name=name,
        type=DeviceType.PROJECTOR,
        suggested_room=room,
        properties=properties,
    )


def command(id: DeviceId, property: PropertyName, value: Value, *, timeout_s: float = 5.0) -> Command:
    return Command(
        id=CommandId(f"c{next(_numbers)}"),
        device_id=id,
        property=property,
        value=value,
        deadline=datetime.now(UTC) + timedelta(seconds=timeout_s),
    )


class NativeDevice:
    """Speaks `sc/1/<school>/<room>/<device>/…`; every method publishes, `commands` takes what we are sent."""

    def __init__(self, mqtt: Mqtt, device: Device, boot: int) -> None:
        self.device = device
        self.id = device.id
        self.mqtt = mqtt
        self._speaks = native_device_side.NativeDevice(device, boot=boot)
        self._base = f"sc/1/{self.device.namespace}/{self.device.key}"
        self._commands: asyncio.Queue[dict[str, object]] = asyncio.Queue()

    async def say(self, part: str, payload: object, *, retain: bool = True) -> None:
        """Anything, right or wrong."""
        raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        await self.mqtt.publish(Publish(f"{self._base}/{part}", raw), retain=retain)

    async def describe(self) -> None:
        await self.mqtt.publish(self._speaks.announcement, retain=True)

    async def online(self) -> None:
        await self.mqtt.publish(self._speaks.online, retain=True)

    async def report(self, **values: Value) -> None:
        await self.mqtt.publish(self._speaks.state(values, now_ms=0), retain=True)

    async def answer(self, asked: dict[str, object], stage: str, **more: object) -> None:
        await self.say("ack", {"id": asked["id"], "stage": stage, **more}, retain=False)

    async def asked(self) -> dict[str, object]:
        """The next command, as it came."""
        async with asyncio.timeout(20):
            return await self._commands.get()

    @property
    def unasked(self) -> bool:
        return self._commands.empty()

    async def follow(self) -> None:
        """Do what is asked, for ever."""
        while True:
            asked = await self._commands.get()
            await self.answer(asked, "accepted")
            values = asked["set"]
            assert isinstance(values, dict)
            await self.report(**values)

    def pull_the_plug(self) -> None:
        """Vanish without a word; the broker sends the will."""
        self.mqtt.abort()

    def _take(self, message: Message) -> None:
        self._commands.put_nowait(json.loads(message.payload))

    async def run(self) -> None:
        while True:
            for message in await self.mqtt.receive():
                self._take(message)


@asynccontextmanager
async def native_device(
    settings: MqttSettings, device: Device | None = None, *, boot: int = 1, silent: bool = False
) -> AsyncIterator[NativeDevice]:
    """A device that has described itself and said that it is online, unless `silent`."""
    device = device or described()
    speaks = native_device_side.NativeDevice(device, boot=boot)
    async with connect(settings, will=speaks.will) as mqtt:
        await mqtt.subscribe([speaks.command_topic])
        native = NativeDevice(mqtt, device, boot)
        taking = asyncio.create_task(native.run())
        try:
            if not silent:
                await native.describe()
                await native.online()
            yield native
        finally:
            taking.cancel()
            await asyncio.gather(taking, return_exceptions=True)


async def until(hub: DeviceHub, holds: Callable[[], bool]) -> None:
    """Return once `holds`, looking at every change of a device."""
    async with asyncio.timeout(30):
        with hub.changes() as changes:
            if holds():
                return
            async for _ in changes:
                if holds():
                    return
