"""The component form through the hub, over a real broker: three topics, one device, and its return after a restart."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from devices.device import (
    Availability,
    Command,
    CommandId,
    CommandState,
    Device,
    DeviceId,
    DeviceRecord,
    PropertyName,
    Value,
)
from devices.dialects.homeassistant.dialect import HomeAssistantDialect
from devices.hub import DeviceHub
from devices.mqtt.connection import Mqtt, connect
from devices.mqtt.message import Publish
from testing.mosquitto import Broker
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
    async with asyncio.timeout(20):
        with hub.changes() as changes:
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
            hub.claim(device.id, "4a")
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
            assert again.room_of(device.id) == "4a"


Config = dict[str, object]
SWITCH: Config = {"cmd_t": f"{BASE}/set", "stat_t": f"{BASE}/st"}
JSON: Config = {"val_tpl": "{{ value_json.relay }}"}


async def announced(
    mqtt: Mqtt, hub: DeviceHub, *components: tuple[str, Config], key: str = "1", lwt: bytes = b"online"
) -> DeviceId:
    """Announce a device's components, put it into a room and wait until the hub has subscribed to its topics."""
    will = f"{BASE}/{key}/lwt"
    await mqtt.publish(Publish(will, lwt), retain=True)
    for count, (platform, config) in enumerate(components):
        payload = config | {"uniq_id": f"{key}{count}", "avty_t": will, "dev": {"ids": [key], "name": key}}
        where = f"sc/1/{SCHOOL}/ha/{platform}/{key}-{count}/config"
        await mqtt.publish(Publish(where, json.dumps(payload).encode()), retain=True)
    found: list[DeviceId] = []

    def listened_to() -> bool:
        found[:] = [each.id for each in hub.devices() if each.key == key and len(each.properties) >= len(components)]
        return bool(found) and hub.availability(found[0])[0] is not Availability.UNKNOWN

    await until(hub, listened_to)
    hub.claim(found[0], "4a")
    return found[0]


def asked(id: DeviceId, name: str, value: Value) -> Command:
    return Command(
        id=CommandId(f"{name}{value}"),
        device_id=id,
        property=PropertyName(name),
        value=value,
        deadline=_now() + timedelta(seconds=10),
    )


COVER: Config = {"cmd_t": f"{BASE}/set", "set_pos_t": f"{BASE}/pos/set"}
DIMMER: Config = SWITCH | {"bri_cmd_t": f"{BASE}/bri/set", "bri_stat_t": f"{BASE}/bri", "bri_scl": 99}
MAINS: Config = {"name": "Mains power status", "stat_t": f"{BASE}/mains"}
CONFIRMED: dict[str, tuple[list[tuple[str, Config]], str, Value, list[tuple[str, str]]]] = {
    "cover-ends-at-98": ([("cover", COVER | {"pos_t": f"{BASE}/st"})], "cover", "open", [("st", "40"), ("st", "98")]),
    "position 100 that ends at 97": (
        [("cover", COVER | {"pos_t": f"{BASE}/st"})],
        "cover.position",
        100,
        [("st", "60"), ("st", "97")],
    ),
    "cover-opening-then-stopped": ([("cover", SWITCH)], "cover", "open", [("st", "opening"), ("st", "stopped")]),
    "stop of a cover that then says that it is open": (
        [("cover", SWITCH)],
        "cover",
        "stopped",
        [("st", "opening"), ("st", "open")],
    ),
    "dimmer-99-at-50": ([("light", DIMMER)], "level", 50, [("bri", "50")]),
    "fan of three speeds": (
        [("fan", {"cmd_t": f"{BASE}/on", "pct_cmd_t": f"{BASE}/set", "pct_stat_t": f"{BASE}/st", "spd_rng_max": 3})],
        "fan",
        50,
        [("st", "2")],
    ),
    "ups-power-status": (
        [("switch", SWITCH), ("sensor", MAINS)],
        "power",
        "on",
        [("mains", "OB DISCHRG"), ("st", "ON")],
    ),
}


@pytest.mark.parametrize("case", CONFIRMED)
async def test_command_of_a_device_that_reports_as_it_can_is_confirmed(broker: Broker, case: str) -> None:
    components, name, value, said = CONFIRMED[case]
    async with connect(broker.settings) as device, running_hub(broker) as hub:
        id = await announced(device, hub, *components)
        await device.subscribe([f"{BASE}/set", f"{BASE}/+/set"])
        sending = asyncio.create_task(hub.send(asked(id, name, value)))
        await device.receive()
        for topic, payload in said:
            await device.publish(Publish(f"{BASE}/{topic}", payload.encode()))
        result = await sending
        assert (result.state, result.code) == (CommandState.CONFIRMED, "")


async def test_stop_is_sent_to_a_cover_that_could_have_begun_to_move_unsaid(broker: Broker) -> None:
    cover = PropertyName("cover")
    async with connect(broker.settings) as device, running_hub(broker) as hub:
        id = await announced(device, hub, ("cover", COVER | {"pos_t": f"{BASE}/st"}))
        await device.subscribe([f"{BASE}/set"])
        await device.publish(Publish(f"{BASE}/st", b"40"))
        await until(hub, lambda: cover in hub.reported(id))
        assert hub.reported(id)[cover].value == "stopped"
        sending = asyncio.create_task(hub.send(asked(id, "cover", "stopped")))
        assert [each.payload for each in await device.receive()] == [b"STOP"]
        await device.publish(Publish(f"{BASE}/st", b"41"))
        assert (await sending).code == ""


async def test_device_that_says_it_does_not_know_is_asked_again(broker: Broker) -> None:
    power = PropertyName("power")
    async with connect(broker.settings) as device, running_hub(broker) as hub:
        id = await announced(device, hub, ("switch", SWITCH))
        await device.subscribe([f"{BASE}/set"])
        await device.publish(Publish(f"{BASE}/st", b"ON"))
        await until(hub, lambda: power in hub.reported(id))
        assert (await hub.send(asked(id, "power", "on"))).code == "already"
        await device.publish(Publish(f"{BASE}/st", b"None"))
        await until(hub, lambda: power not in hub.reported(id))
        assert hub.availability(id)[0] is Availability.ONLINE
        sending = asyncio.create_task(hub.send(asked(id, "power", "on")))
        assert [each.payload for each in await device.receive()] == [b"ON"]
        await device.publish(Publish(f"{BASE}/st", b"ON"))
        assert (await sending).code == ""


async def test_live_message_is_a_sign_of_life_whatever_it_says(broker: Broker) -> None:
    async with connect(broker.settings) as device, running_hub(broker) as hub:
        id = await announced(device, hub, ("switch", SWITCH | JSON), lwt=b"offline")
        assert hub.availability(id)[0] is Availability.OFFLINE
        sending = asyncio.create_task(hub.send(asked(id, "power", "on")))
        await device.subscribe([f"{BASE}/set"])
        await device.publish(Publish(f"{BASE}/st", b'{"uptime":5,"rssi":-60}'))
        assert [each.payload for each in await device.receive()] == [b"ON"]  # it was held while the device was away
        assert hub.availability(id)[0] is Availability.ONLINE
        await device.publish(Publish(f"{BASE}/st", b'{"relay": "ON"}'))
        assert (await sending).state is CommandState.CONFIRMED


async def test_message_on_a_topic_of_several_devices_is_a_sign_of_the_one_it_speaks_of(broker: Broker) -> None:
    def of(number: int) -> tuple[str, Config]:
        template = f"{{% if value_json.id == {number} %}}{{{{ value_json.relay }}}}{{% endif %}}"
        return "switch", SWITCH | {"cmd_t": f"{BASE}/{number}/set", "val_tpl": template}

    async with connect(broker.settings) as gateway, running_hub(broker) as hub:
        first, second = [await announced(gateway, hub, of(number), key=str(number)) for number in (1, 2)]
        hub.release(second)
        await gateway.publish(Publish(f"{BASE}/st", b'{"id": 2, "relay": "ON"}'))
        await until(hub, lambda: hub.availability(second)[0] is Availability.ONLINE)
        assert hub.availability(first)[0] is Availability.STALE
        await gateway.publish(Publish(f"sc/1/{SCHOOL}/ha/switch/2-0/config", b""), retain=True)
        await until(hub, lambda: second not in {each.id for each in hub.devices()})
        await gateway.publish(Publish(f"{BASE}/st", b'{"uptime": 1}'))  # the topic is the first one's alone by now
        await until(hub, lambda: hub.availability(first)[0] is Availability.ONLINE)


async def test_payload_that_is_not_the_json_that_is_read_is_a_problem_until_it_is(broker: Broker) -> None:
    topic = f"{BASE}/st"
    async with connect(broker.settings) as device, running_hub(broker) as hub:
        id = await announced(device, hub, ("switch", SWITCH | JSON))

        def problems() -> list[str]:
            return [each.code for each in hub.problems() if each.topic == topic]

        await device.publish(Publish(topic, b'{"relay":"ON","pm":nan}'))
        await until(hub, lambda: hub.availability(id)[0] is Availability.ONLINE)
        assert (problems(), hub.reported(id)) == (["invalid_payload"], {})
        await device.publish(Publish(topic, b'{"relay":"ON"}'))
        await until(hub, lambda: bool(hub.reported(id)))
        assert problems() == []
