"""Our own dialect from a device's side, for whoever is one: a gateway, a room PC, a simulator. `docs/mqtt.md` 2.

Pure: what is to be published, and what a message asks for. All that says how the device is (`announcement`, `online`,
`will`, `state`) is to be retained; answers are not.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from devices.device import CommandId, Device, PropertyName, Stage, Value
from devices.dialects import jsontext
from devices.dialects.base import root
from devices.dialects.native import describe
from devices.errors import InvalidCommand, InvalidPayload, PropertyNotFound
from devices.mqtt.message import Message, Publish

COMMAND_LIMIT_BYTES = 32 * 1024


@dataclass(frozen=True, slots=True)
class Order:
    """A command as the device understood it."""

    property: str
    value: Value
    id: str = ""  # where its dialect has one


class NativeDevice:
    """Its messages carry the boot that they are of, so that a late will of an earlier one can be told."""

    def __init__(
        self, device: Device, *, boot: int = 0, acknowledges: bool = True, interval_s: float | None = None
    ) -> None:
        """`boot`: as in `connected`. `interval_s`: it promises to report at least this often."""
        base = f"{root(device.namespace)}{device.key}"
        self.device = device
        self.command_topic = f"{base}/cmd"
        self.birth_topic = f"{root(device.namespace)}controller"
        """Where the controller says that it is there: publish `online` and `state` again."""
        self.announcement = Publish(f"{base}/desc", describe(device, acknowledges=acknowledges, interval_s=interval_s))
        self._base = base
        self._boot = boot
        self._count = 0

    def connected(self, boot: int) -> None:
        """A connection begins; `boot` is higher than that of every one before."""
        self._boot, self._count = boot, 0

    @property
    def will(self) -> Publish:
        """To be given to the broker when connecting."""
        return self._say("avail", {"online": False, "boot": self._boot})

    @property
    def online(self) -> Publish:
        return self._say("avail", {"online": True, "boot": self._boot})

    def state(self, values: Mapping[str, Value], *, now_ms: int) -> Publish:
        """How it is; `now_ms`: since 1970 UTC."""
        self._count += 1
        return self._say("state", {"v": values, "t": now_ms, "boot": self._boot, "seq": self._count})

    def orders(self, message: Message, *, now_ms: int) -> tuple[Order, ...]:
        """What a message on `command_topic` asks for: nothing after its deadline, or where it makes no sense."""
        try:
            asked = jsontext.loads_object(message.payload, limit_bytes=COMMAND_LIMIT_BYTES)
            id, wanted, deadline_ms = asked.get("id"), asked.get("set"), jsontext.number(asked, "deadline")
            late = deadline_ms is not None and deadline_ms < now_ms
            if message.retained or late or not isinstance(id, str) or not isinstance(wanted, dict):
                return ()
            return tuple(Order(name, self._checked(name, value), id) for name, value in wanted.items())
        except (InvalidPayload, InvalidCommand, PropertyNotFound):
            return ()

    def _checked(self, name: str, value: object) -> Value:
        """Raises `InvalidCommand`, `PropertyNotFound`."""
        if not isinstance(value, bool | int | float | str):
            raise InvalidCommand(f"{name} takes no such value")
        return self.device.property(PropertyName(name)).checked(value)

    def answer(
        self, id: str | CommandId, stage: Stage, *, code: str = "", retry_after_s: float | None = None
    ) -> Publish:
        """To the command `id`."""
        content: dict[str, object] = {"id": id, "stage": stage}
        if code:
            content["code"] = code
        if retry_after_s is not None:
            content["retry_after_ms"] = round(retry_after_s * 1000) + 1
        return self._say("ack", content)

    def _say(self, part: str, content: Mapping[str, object]) -> Publish:
        payload = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
        return Publish(f"{self._base}/{part}", payload)
