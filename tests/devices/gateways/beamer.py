"""A hub that talks to simulated projectors on TCP; no broker is there, and none is needed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from demo.simulated.machine import Speeds
from demo.simulated.pjlink import Manners, SimulatedPJLink
from devices.device import Availability, CommandResult, DeviceAddress, DeviceId, PropertyName, Value
from devices.dialects.native import NativeDialect
from devices.gateways.connection import Pace
from devices.gateways.pjlink import PJLinkGateway
from devices.hub import DeviceHub
from devices.mqtt.connection import MqttSettings
from tests.devices.nativedevice import SCHOOL, command, until

SPEEDS = Speeds(warm_up_s=0.3, cool_down_s=0.2)
PACE = Pace(
    idle_s=0.1, moving_s=0.03, linger_s=0.1, refused_s=0.2, failed_s=0.03, away_s=0.2, exchange_s=2.0, thorough_every=1
)
ID = DeviceId("d-beamer")
POWER, SOURCE = PropertyName("power"), PropertyName("av_source")


def new_hub() -> DeviceHub:
    return DeviceHub(
        connection=MqttSettings(host="127.0.0.1", port=1),
        dialects=[NativeDialect()],
        gateways=[PJLinkGateway(answer_s=0.3, busy_again=timedelta(seconds=0.2))],
        pace=PACE,
        clock=lambda: datetime.now(UTC),
    )


def address(projector: SimulatedPJLink, *, id: DeviceId = ID, password: str = "", name: str = "") -> DeviceAddress:
    return DeviceAddress(
        device_id=id,
        namespace=SCHOOL,
        gateway="pjlink",
        host="127.0.0.1",
        port=projector.port,
        password=password,
        name=name,
    )


@asynccontextmanager
async def projector(manners: Manners | None = None, speeds: Speeds = SPEEDS) -> AsyncIterator[SimulatedPJLink]:
    simulated = SimulatedPJLink("SIM-1", manners, speeds)
    async with simulated.listening():
        yield simulated


@asynccontextmanager
async def running(hub: DeviceHub, *addresses: DeviceAddress) -> AsyncIterator[DeviceHub]:
    """The hub, with these devices in a room."""
    hub.set_namespaces({SCHOOL})
    for each in addresses:
        hub.connect(each)
        hub.claim(each.device_id, "4a")
    task = asyncio.create_task(hub.run())
    try:
        yield hub
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def reached(
    manners: Manners | None = None, *, speeds: Speeds = SPEEDS, password: str = ""
) -> AsyncIterator[tuple[DeviceHub, SimulatedPJLink]]:
    """A projector that the hub has read."""
    async with (
        projector(manners, speeds) as simulated,
        running(new_hub(), address(simulated, password=password)) as hub,
    ):
        await online(hub)
        await until(hub, lambda: len(hub.device(ID).properties) > 1)
        yield hub, simulated


async def online(hub: DeviceHub, id: DeviceId = ID) -> None:
    await until(hub, lambda: hub.availability(id)[0] is Availability.ONLINE)


async def send(hub: DeviceHub, name: str, value: Value, *, timeout_s: float = 5.0) -> CommandResult:
    return await hub.send(command(ID, PropertyName(name), value, timeout_s=timeout_s))


def values(hub: DeviceHub) -> dict[str, Value]:
    return {name: each.value for name, each in hub.reported(ID).items()}


def codes(hub: DeviceHub) -> set[str]:
    """Of what is wrong, but for the broker that is not there."""
    return {each.code for each in hub.problems() if each.topic}
