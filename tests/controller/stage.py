"""What lessons are held with: two schools in a database, a hub on a broker, and devices that really speak MQTT."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from controller.config.model import sqlite_url
from controller.lessons.scenes import SceneRun
from demo.simulated.machine import Speeds
from demo.simulated.room import SimulatedRoom
from devices.changes import Changes
from devices.device import Availability, Device, DeviceId
from devices.dialects.homeassistant.dialect import HomeAssistantDialect
from devices.dialects.native import NativeDialect
from devices.hub import DeviceHub
from devices.mqtt.connection import MqttSettings, connect
from rooms.room import Room
from rooms.scene import Scene, StepId, StepState
from rooms.school import namespace
from rooms.suggestion import suggested_scenes
from store import Store, open_store
from store.stored_device import StoredDevice
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
CONTROLLED = ("projector", "motor_screen", "light", "ac", "ptz_camera")


@dataclass
class Stage:
    directory: Path
    store: Store
    hub: DeviceHub
    changes: Changes
    clock: AheadClock
    broker: MqttSettings

    async def put(self, room: Room, id: DeviceId) -> None:
        """Claim a discovered device into a room, as a technician does."""
        record = self.hub.record(id)
        stored = StoredDevice(
            device=record.device,
            discovery_topic=record.discovery_topic,
            discovery_payload=record.discovery_payload,
        )
        await self.store.devices.save([stored])
        await self.store.devices.claim(id, room.id)
        self.hub.claim(id, room.id)

    @asynccontextmanager
    async def classroom(self, room: Room, speeds: Speeds = SPEEDS) -> AsyncIterator[SimulatedRoom]:
        """A simulated room whose devices are claimed and whose scenes are those suggested."""
        simulated = SimulatedRoom(room.school_id, room.id, self.broker, speeds)
        async with running(simulated.run()):
            await until(self.hub, lambda: len(self.online(room)) == len(simulated.devices))
            for device in self.online(room):
                await self.put(room, device.id)
            for scene in suggested_scenes(room.id, self.online(room)):
                await self.store.scenes.put(scene, expected_version=0)
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
        hub = DeviceHub(connection=broker, dialects=(NativeDialect(), HomeAssistantDialect()), clock=AheadClock())
        hub.set_namespaces({namespace(XUAN), namespace(LOI)})
        async with running(hub.run()):
            yield Stage(directory, store, hub, Changes(), clock, broker)


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
            store=stage.store,
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
