"""The component form through the hub, over a real broker: three topics, one device, and its return after a restart."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from devices.device import Command, CommandId, CommandState, Device, PropertyName
from devices.dialects.homeassistant.dialect import HomeAssistantDialect
from devices.hub import DeviceHub, DeviceRecord
from devices.message import Publish
from devices.mqtt import Mqtt, connect
from tests.devices.conftest import Broker
from tests.devices.dialects.homeassistant.wire import BASE, SCHOOL

DEVICE = {"ids": ["0xA1"], "name": "Máy chiếu"}
CONFIGS: dict[str, dict[str, object]] = {
    "switch/power": {"uniq_id": "1", "cmd_t": "~/power/set", "stat_t": "~/power", "avty_t": "~/status"},
    "sensor/power_state": {"uniq_id": "2", "stat_t": "~/power_state", "dev_cla": "enum"},
    "select/source": {"uniq_id": "3", "cmd_t": "~/source/set", "stat_t": "~/source", "ops": ["HDMI1", "VGA"]},
}

NAMES = ["power", "other.power_state", "av_source"]


def _now() -> datetime:
    return datetime.now(UTC)


@asynccontextmanager
async def running_hub(broker: Broker, *records: DeviceRecord) -> AsyncIterator[DeviceHub]:
    hub = DeviceHub(connection=broker.settings, dialects=[HomeAssistantDialect()], clock=_now)
    hub.restore(records)
    hub.set_namespaces({SCHOOL})
    task = asyncio.create_task(hub.run())
    try:
        yield hub
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(hub: DeviceHub, condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20), hub.changes() as changes:
        while not condition():
            await anext(changes)


def whole(hub: DeviceHub) -> Device | None:
    """The device once all three topics were heard."""
    found = [device for device in hub.devices() if len(device.properties) == 3]
    return found[0] if found else None


async def announce(mqtt: Mqtt) -> None:
    for where, config in CONFIGS.items():
        payload = json.dumps(config | {"~": BASE, "dev": DEVICE}).encode()
        await mqtt.publish(Publish(f"sc/1/{SCHOOL}/ha/{where}/config", payload), retain=True)


async def test_projector_of_three_topics_is_switched_on_and_survives_a_restart_of_ours(broker: Broker) -> None:
    async with connect(broker.settings) as projector:
        await announce(projector)
        await projector.subscribe([f"{BASE}/+/set"])
        async with running_hub(broker) as hub:
            await until(hub, lambda: whole(hub) is not None)
            device = whole(hub)
            assert device is not None
            assert (device.type, [each.name for each in device.properties]) == ("projector", NAMES)
            hub.claim(device.id)
            await projector.publish(Publish(f"{BASE}/status", b"online"))
            command = Command(
                id=CommandId("c1"),
                device_id=device.id,
                property=PropertyName("power"),
                value="on",
                deadline=_now() + timedelta(seconds=10),
            )
            sending = asyncio.create_task(hub.send(command))
            [asked] = await projector.receive()
            assert (asked.topic, asked.payload) == (f"{BASE}/power/set", b"ON")
            await projector.publish(Publish(f"{BASE}/power_state", b"warming"))
            await until(hub, lambda: PropertyName("power") in hub.reported(device.id))
            assert not sending.done()
            await projector.publish(Publish(f"{BASE}/power_state", b"on"))
            assert (await sending).state is CommandState.CONFIRMED
            record = hub.record(device.id)

        async with running_hub(broker, record) as again:
            assert [each.id for each in again.devices()] == [device.id]
            await until(again, lambda: whole(again) == device)
            assert again.claimed(device.id)
