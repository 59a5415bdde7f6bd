"""A simulated classroom: one of each device, some speaking our own dialect, some Home Assistant's."""

import asyncio
import time
from collections.abc import Callable, Mapping

from demo.simulated import homeassistant
from demo.simulated.air_conditioner import AirConditioner
from demo.simulated.camera import Camera
from demo.simulated.device import SimulatedDevice
from demo.simulated.faults import Fault
from demo.simulated.light import Light
from demo.simulated.machine import Machine, Speeds
from demo.simulated.native import NativeVoice
from demo.simulated.projector import Projector
from demo.simulated.screen import Screen
from demo.simulated.sensors import AirSensor, OccupancySensor
from demo.simulated.voice import Place, Voice
from devices.mqtt.connection import MqttSettings


class SimulatedRoom:
    """`devices` by slug: projector, screen, camera (native); lights, ac, air, occupancy (Home Assistant)."""

    def __init__(
        self,
        school: str,
        room: str,
        broker: MqttSettings,
        speeds: Speeds | None = None,
        *,
        faults: Mapping[str, Fault] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Raises `ValueError` for a fault of a device that is not there."""
        self.school = school
        self.room = room
        speeds = speeds or Speeds()
        serial = f"SIM-{school}-{room}-{{}}".format
        machines: list[tuple[Machine, Callable[..., Voice]]] = [
            (Projector(serial("projector"), speeds), NativeVoice),
            (Screen(serial("screen"), speeds), NativeVoice),
            (Camera(serial("camera"), speeds), NativeVoice),
            (Light(serial("lights")), homeassistant.light),
            (AirConditioner(serial("ac"), speeds), homeassistant.air_conditioner),
            (AirSensor(serial("air"), speeds), homeassistant.sensors),
            (OccupancySensor(serial("occupancy"), speeds), homeassistant.sensors),
        ]
        self.devices: dict[str, SimulatedDevice] = {}
        for machine, voice in machines:
            blueprint = machine.blueprint
            speaks = voice(Place(school, room, blueprint.slug), blueprint)
            self.devices[blueprint.slug] = SimulatedDevice(machine, speaks, broker, speeds, clock=clock)
        for slug, fault in (faults or {}).items():
            if slug not in self.devices:
                raise ValueError(f"no simulated device {slug!r}; there are {', '.join(self.devices)}")
            self.devices[slug].set_fault(fault)

    async def run(self) -> None:
        """All devices, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for slug, device in self.devices.items():
                tasks.create_task(device.run(), name=f"simulated {self.school}/{self.room}/{slug}")
