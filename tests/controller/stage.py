"""What lessons are held with: two schools in a database, a hub on a broker, and devices that really speak MQTT."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from controller.config.model import sqlite_url
from controller.equipment.claims import Claims
from controller.lessons.room_scenes import Scenes
from controller.lessons.scenes import SceneRun
from demo.simulated.machine import Speeds
from demo.simulated.room import SimulatedRoom
from devices.changes import Changes
from devices.device import Availability, Device, DeviceId
from devices.dialects.homeassistant.dialect import HomeAssistantDialect
from devices.dialects.native import NativeDialect
from devices.gateways.connection import Pace
from devices.gateways.pjlink import PJLinkGateway
from devices.hub import DeviceHub
from devices.mqtt.connection import MqttSettings, connect
from rooms.people.rights import OWNER
from rooms.room import Room
from rooms.scene import Scene, StepId, StepState
from rooms.school import namespace
from store import Store, open_store
from testing.clock import AheadClock
from tests.devices.nativedevice import until
from tests.rooms.samples import LOI, XUAN, plant

SPEEDS = Speeds(
    warm_up_s=0.4,
    cool_down_s=0.05,
    travel_s=0.2,
    camera_move_s=0.05,
    sensor_interval_s=3600,
    progress_s=0.05,
    birth_spread_s=0.01,
)
UNRECORDABLE = "x" * 101
"""An actor whose name the audit log does not take: what is done in this name is refused as the last thing."""
PACE = Pace(idle_s=0.2, moving_s=0.05, linger_s=0.2, failed_s=0.05, away_s=0.2)
CONTROLLED = ("projector", "motor_screen", "light", "ac", "ptz_camera")


@dataclass
class Stage:
    directory: Path
    store: Store
    hub: DeviceHub
    changes: Changes
    clock: AheadClock
    broker: MqttSettings
    claims: Claims
    scenes: Scenes

    async def put(self, room: Room, id: DeviceId) -> None:
        """Claim a discovered device into a room, as a technician does."""
        await self.claims.claim(id, room.id, rights=OWNER, actor="test")

    @asynccontextmanager
    async def classroom(self, room: Room, speeds: Speeds = SPEEDS) -> AsyncIterator[SimulatedRoom]:
        """A simulated room whose devices are claimed and whose scenes are those suggested."""
        simulated = SimulatedRoom(room.school_id, room.id, self.broker, speeds)
        async with running(simulated.run()):
            await until(self.hub, lambda: len(self.online(room)) == len(simulated.devices))
            for device in self.online(room):
                await self.put(room, device.id)
            await self.scenes.suggest(room.id, rights=OWNER, actor="test")
            yield simulated

    async def greet(self, room: Room) -> None:
        """Have the room's devices say everything again, which they do when a controller says that it is there."""
        async with connect(self.broker) as mqtt:
            for message in HomeAssistantDialect().birth(namespace(room.school_id)):
                await mqtt.publish(message)

    def online(self, room: Room) -> list[Device]:
        """The devices of a simulated room that can be reached."""
        return [
            each
            for each in self.hub.devices()
            if each.namespace == namespace(room.school_id)
            and each.suggested_room == room.id
            and self.hub.availability(each.id)[0] is Availability.ONLINE
        ]

    def device(self, room: Room, type: str) -> Device:
        [device] = [each for each in self.hub.devices() if each.type == type and each.suggested_room == room.id]
        return device


@asynccontextmanager
async def open_stage(directory: Path, broker: MqttSettings) -> AsyncIterator[Stage]:
    clock = AheadClock()
    async with open_store(sqlite_url(directory / "store.sqlite")) as store:
        await plant(store)
        hub = DeviceHub(
            connection=broker,
            dialects=(NativeDialect(), HomeAssistantDialect()),
            gateways=(PJLinkGateway(),),
            pace=PACE,
            clock=AheadClock(),
        )
        hub.set_namespaces({namespace(XUAN), namespace(LOI)})
        async with running(hub.run()):
            changes = Changes()
            claims = Claims(store, hub, changes, clock=clock)
            scenes = Scenes(store, hub, changes, clock=clock, in_lesson=lambda _: False)
            yield Stage(directory, store, hub, changes, clock, broker, claims, scenes)


@asynccontextmanager
async def running(part: Coroutine[None, None, None]) -> AsyncIterator[asyncio.Task[None]]:
    """A part that runs until the block ends."""
    task = asyncio.create_task(part)
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


class Watched:
    """A scene's run with every move of its steps."""

    def __init__(self, stage: Stage, scene: Scene, *, overridden: Collection[StepId] = ()) -> None:
        self.moves: list[tuple[str, str]] = []
        self._moved = asyncio.Event()
        self.run = SceneRun(
            scene,
            hub=stage.hub,
            actor="test",
            clock=stage.clock,
            changed=self._note,
            overridden=overridden,
        )
        self._before = self.states

    @property
    def states(self) -> dict[str, StepState]:
        return {id: result.state for id, result in self.run.results.items()}

    @property
    def ends(self) -> dict[str, tuple[str, str]]:
        """Step -> state and code."""
        return {id: (result.state.value, result.code) for id, result in self.run.results.items()}

    def _note(self) -> None:
        before, self._before = self._before, self.states
        self.moves += [(id, state.value) for id, state in self.states.items() if before[id] is not state]
        self._moved.set()

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not holds():
                self._moved.clear()
                await self._moved.wait()

    async def settled(self) -> None:
        await self.until(lambda: all(state.settled for state in self.states.values()))

    async def until_states(self, states: Iterable[str], *, of: str) -> None:
        """Until the moves of one step end with these."""
        wanted = list(states)
        await self.until(lambda: [state for id, state in self.moves if id == of][-len(wanted) :] == wanted)
