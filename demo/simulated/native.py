"""A simulated device that speaks our own dialect."""

import time

from demo.simulated.machine import Blueprint, Taken
from demo.simulated.voice import Place
from devices.device import Device, Namespace, Value
from devices.dialects.native import NAME, native_id
from devices.dialects.native_device import NativeDevice, Order
from devices.mqtt.message import Message, Publish


class NativeVoice:
    """The voice of `NativeDevice`."""

    def __init__(self, place: Place, blueprint: Blueprint) -> None:
        self._speaks = NativeDevice(_device(place, blueprint))
        self._base = place.base
        self.birth_topic = self._speaks.birth_topic
        self.topics: tuple[str, ...] = (self._speaks.command_topic,)

    def connected(self, boot: int) -> None:
        self._speaks.connected(boot)

    @property
    def will(self) -> Publish:
        return self._speaks.will

    @property
    def online(self) -> Publish:
        return self._speaks.online

    @property
    def announcement(self) -> Publish:
        return self._speaks.announcement

    def state(self, values: dict[str, Value]) -> tuple[Publish, ...]:
        return (self._speaks.state(values, now_ms=_now_ms()),)

    def garbage(self) -> Publish:
        return Publish(f"{self._base}/state", b'\xff\xfe{"v":')

    def orders(self, message: Message) -> tuple[Order, ...]:
        return self._speaks.orders(message, now_ms=_now_ms())

    def answer(self, order: Order, taken: Taken) -> tuple[Publish, ...]:
        return (self._speaks.answer(order.id, taken.stage, code=taken.code, retry_after_s=taken.retry_after_s),)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _device(place: Place, blueprint: Blueprint) -> Device:
    namespace = Namespace(place.school)
    return Device(
        id=native_id(namespace, place.room, place.slug),
        namespace=namespace,
        dialect=NAME,
        key=f"{place.room}/{place.slug}",
        name=blueprint.name,
        type=blueprint.type,
        manufacturer=blueprint.manufacturer,
        model=blueprint.model,
        serial=blueprint.serial,
        firmware=blueprint.firmware,
        suggested_room=place.room,
        properties=blueprint.properties,
    )
