"""The other side of `bench.devices`: many native devices in one process, on one connection.

`python -m bench.device_peer PORT DEVICES MESSAGES_PER_S SECONDS`: describes the devices, prints "ready",
waits for a line, reports at that rate, prints the number of reports sent, then answers commands until its input ends.
"""

import asyncio
import json
import sys
import time

from devices.device import Capability, Device, DeviceType, Kind, Namespace, Property, PropertyName
from devices.dialects.native import NAME, describe, native_id
from devices.mqtt.connection import Mqtt, MqttSettings, connect
from devices.mqtt.message import Publish

SCHOOL = Namespace("bench")
LEVEL = PropertyName("level")
_FURTHER = ("temperature", "humidity", "co2", "pm25", "illuminance")


def device(number: int) -> Device:
    """A light with a few sensors, so that a state message has about 200 bytes, as real ones do."""
    return Device(
        id=native_id(SCHOOL, f"r{number}", "light"),
        namespace=SCHOOL,
        dialect=NAME,
        key=f"r{number}/light",
        name=f"light {number}",
        type=DeviceType.LIGHT,
        suggested_room=f"r{number}",
        properties=(
            Property(
                name=LEVEL,
                capability=Capability.LEVEL,
                kind=Kind.NUMBER,
                unit="%",
                minimum=0,
                maximum=1_000_000,
                step=1,
                settable=True,
            ),
            *(Property(name=PropertyName(name), capability=Capability(name), kind=Kind.NUMBER) for name in _FURTHER),
        ),
    )


def state(number: int, level: int, seq: int) -> Publish:
    values: dict[str, float] = {"level": level} | {name: 20.5 + seq % 7 for name in _FURTHER}
    payload = {"v": values, "t": int(time.time() * 1000), "boot": 1, "seq": seq}
    return Publish(f"sc/1/{SCHOOL}/r{number}/light/state", json.dumps(payload).encode(), qos=0)


async def _report(mqtt: Mqtt, devices: int, messages_per_s: int, seconds: float) -> int:
    """Report in turns, a batch every 10 ms; the last report of each device carries the highest level."""
    total = int(messages_per_s * seconds) // devices * devices
    batch = max(1, messages_per_s // 100)
    start = time.monotonic()
    for first in range(0, total, batch):
        for sent in range(first, min(first + batch, total)):
            await mqtt.publish(state(sent % devices, sent // devices, sent))
        await asyncio.sleep(max(0.0, start + (first + batch) / messages_per_s - time.monotonic()))
    return total


async def _answer(mqtt: Mqtt) -> None:
    seq = 10**9
    while True:
        for message in await mqtt.receive():
            asked = json.loads(message.payload)
            number = int(message.topic.split("/")[3][1:])
            seq += 1
            await mqtt.publish(state(number, asked["set"]["level"], seq))


async def main(port: int, devices: int, messages_per_s: int, seconds: float) -> None:
    loop = asyncio.get_running_loop()
    async with connect(MqttSettings(host="127.0.0.1", port=port)) as mqtt:
        await mqtt.subscribe([f"sc/1/{SCHOOL}/+/light/cmd"])
        for number in range(devices):
            base = f"sc/1/{SCHOOL}/r{number}/light"
            await mqtt.publish(Publish(f"{base}/desc", describe(device(number))), retain=True)
        print("ready", flush=True)
        await loop.run_in_executor(None, sys.stdin.readline)
        print(await _report(mqtt, devices, messages_per_s, seconds), flush=True)
        answering = asyncio.create_task(_answer(mqtt))
        await loop.run_in_executor(None, sys.stdin.readline)
        answering.cancel()
        await asyncio.gather(answering, return_exceptions=True)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])))
