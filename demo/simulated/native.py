"""A device that speaks our own dialect (`docs/mqtt.md`): `desc`, `state`, `cmd`, `ack`, `avail`."""

import json
import time

from demo.simulated.machine import Blueprint, Taken
from demo.simulated.voice import Order, Place, checked, dumps
from devices.device import Value
from devices.errors import InvalidCommand
from devices.mqtt.message import Message, Publish


class NativeVoice:
    """Its messages carry the boot that they are of, so that a late will of an earlier one can be told."""

    def __init__(self, place: Place, blueprint: Blueprint) -> None:
        self.birth_topic = f"sc/1/{place.school}/controller"
        self.topics: tuple[str, ...] = (f"{place.base}/cmd",)
        self._place = place
        self._base = place.base
        self._blueprint = blueprint
        self._boot = 0
        self._count = 0

    def connected(self, boot: int) -> None:
        self._boot, self._count = boot, 0

    @property
    def will(self) -> Publish:
        return Publish(f"{self._base}/avail", dumps({"online": False, "boot": self._boot}))

    @property
    def online(self) -> Publish:
        return Publish(f"{self._base}/avail", dumps({"online": True, "boot": self._boot}))

    @property
    def announcement(self) -> Publish:
        blueprint = self._blueprint
        description = {
            "format": 1,
            "name": blueprint.name,
            "type": blueprint.type,
            "manufacturer": blueprint.manufacturer,
            "model": blueprint.model,
            "serial": blueprint.serial,
            "firmware": blueprint.firmware,
            "room": self._place.room,
            "properties": {
                each.name: {
                    "capability": each.capability.value,
                    "kind": each.kind.value,
                    "unit": each.unit,
                    "minimum": each.minimum,
                    "maximum": each.maximum,
                    "step": each.step,
                    "options": list(each.options),
                    "settable": each.settable,
                }
                for each in blueprint.properties
            },
        }
        return Publish(f"{self._base}/desc", dumps(description))

    def state(self, values: dict[str, Value]) -> tuple[Publish, ...]:
        self._count += 1
        now_ms = time.time_ns() // 1_000_000
        content = {"v": values, "t": now_ms, "boot": self._boot, "seq": self._count}
        return (Publish(f"{self._base}/state", dumps(content)),)

    def garbage(self) -> Publish:
        return Publish(f"{self._base}/state", b'\xff\xfe{"v":')

    def orders(self, message: Message) -> tuple[Order, ...]:
        """`{"id": "…", "set": {"power": "on"}, "deadline": <ms>}`; one whose deadline has passed is left alone."""
        try:
            asked = json.loads(message.payload)
            id, wanted, deadline_ms = str(asked["id"]), dict(asked["set"]), float(asked.get("deadline", "inf"))
            if message.retained or deadline_ms < time.time() * 1000:
                return ()
            orders = [(name, checked(self._blueprint, name, value)) for name, value in wanted.items()]
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError, InvalidCommand):
            return ()
        return tuple(Order(name, value, id) for name, value in orders if value is not None)

    def answer(self, order: Order, taken: Taken) -> tuple[Publish, ...]:
        content: dict[str, object] = {"id": order.id, "stage": taken.stage}
        if taken.code:
            content["code"] = taken.code
        if taken.retry_after_s is not None:
            content["retry_after_ms"] = round(taken.retry_after_s * 1000) + 1
        return (Publish(f"{self._base}/ack", dumps(content)),)
