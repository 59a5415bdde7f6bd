"""What `docs/mqtt.md` promises to people who build a device."""

import asyncio
import json
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from devices.device import Availability, CommandState, PropertyName
from devices.dialects.native import NativeDialect, native_id
from devices.mqtt.message import Message
from testing.mosquitto import Broker
from tests.devices.nativedevice import POWER, SCHOOL, command, until
from tests.devices.test_hub import knows, running_hub

DOCUMENT = (Path(__file__).parents[2] / "docs" / "mqtt.md").read_text()
NOW = datetime(2026, 11, 21, 7, 0, tzinfo=UTC)
LAMP = native_id(SCHOOL, "phong-12", "lamp")


def test_the_description_in_the_document_is_understood_wholly() -> None:
    [example] = [each for each in re.findall(r"```json\n(.*?)```", DOCUMENT, re.DOTALL) if '"format"' in each]
    message = Message(topic=f"sc/1/{SCHOOL}/r/p/desc", payload=example.encode(), retained=True, received=NOW)
    discovery = NativeDialect().discover(SCHOOL, message)
    assert discovery.problems == ()
    assert [each.name for each in discovery.drivers[0].device.properties] == [
        PropertyName(name) for name in json.loads(example)["properties"]
    ]


@asynccontextmanager
async def documented_lamp(broker: Broker) -> AsyncIterator[None]:
    """The document's program as a process of its own, with only the broker's address changed."""
    [program] = re.findall(r"```python\n(.*?)```", DOCUMENT, re.DOTALL)
    program = program.replace('"broker.example", 1883', f'"127.0.0.1", {broker.port}')
    program = program.replace('os.environ["MQTT_PASSWORD"]', '"anything"')
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", program)
    try:
        yield
    finally:
        process.kill()
        await process.wait()


async def test_the_program_in_the_document_is_a_device(broker: Broker) -> None:
    async with running_hub(broker.settings) as hub, documented_lamp(broker):
        await until(hub, lambda: knows(hub, LAMP))
        hub.claim(LAMP, "4a")
        result = await hub.send(command(LAMP, POWER, "on"))
        assert (result.state, hub.reported(LAMP)[POWER].value) == (CommandState.CONFIRMED, "on")
        assert hub.availability(LAMP)[0] is Availability.ONLINE
