"""Our own dialect, for gateways, room PCs, panels and simulated devices. `docs/mqtt.md` is its protocol page.

Topics: `sc/1/<school>/<room>/<device>/` + `desc`, `state`, `avail` (retained), `cmd`, `ack` (not).
"""

import json
import re
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Self

from devices.device import (
    Acknowledgement,
    Availability,
    Capability,
    Command,
    CommandId,
    Device,
    DeviceId,
    DeviceType,
    Kind,
    Namespace,
    Property,
    PropertyName,
    Report,
    Stage,
    Value,
    device_id,
)
from devices.dialects import jsontext
from devices.dialects.base import Discovery, root
from devices.driver import Problem
from devices.errors import InvalidPayload
from devices.mqtt.message import Message, Publish

NAME = "native"
FORMAT = 1
"""Of `desc`. A later one is read as far as it is understood: keys are only added within a format."""
PROPERTIES_LIMIT = 100
DESC_LIMIT_BYTES = 128 * 1024
STATE_LIMIT_BYTES = 32 * 1024
TEXT_LIMIT = 255
SILENT_INTERVALS = 2.5
"""A device that promises to report every `interval_s` is stale after this many."""
_SEGMENT = re.compile(r"[A-Za-z0-9_-]{1,64}")
_PROPERTY = re.compile(r"[a-z][a-z0-9_]{0,31}(\.[a-z0-9_]{1,32}){0,2}")
_KINDS = {each.value: each for each in Kind}
_CAPABILITIES = {each.value: each for each in Capability}
SHARED_LIMIT, SHARED_LENGTH = 1024, 4096
"""Of descriptions that devices share: how many, and the longest."""


class NativeDialect:
    """Descriptions on `sc/1/<school>/+/+/desc`."""

    name = NAME

    def discovery_filters(self, namespace: Namespace) -> tuple[str, ...]:
        return (f"{root(namespace)}+/+/desc",)

    def prepare(self, message: Message) -> Iterator[None]:
        """Nothing of a description is dear."""
        return iter(())

    def discover(self, namespace: Namespace, message: Message) -> Discovery:
        """Raises `InvalidPayload`."""
        base = message.topic.removesuffix("/desc")
        room, _, name = base.removeprefix(root(namespace)).partition("/")
        if not (_SEGMENT.fullmatch(room) and _SEGMENT.fullmatch(name)):
            raise InvalidPayload("room and device in the topic are 1 to 64 letters, digits, - and _")
        key = f"{room}/{name}"
        id = device_id(namespace, NAME, key)
        if not message.payload:
            return Discovery(removed=(id,))
        desc = jsontext.loads_object(message.payload, limit_bytes=DESC_LIMIT_BYTES)
        format = jsontext.integer(desc, "format")
        if format is None or format < FORMAT:
            raise InvalidPayload('"format" must be 1')
        described = _read_properties(desc)
        interval_s = jsontext.number(desc, "interval_s")
        device = Device(
            id=id,
            namespace=namespace,
            dialect=NAME,
            key=key,
            name=_text(desc, "name") or name,
            type=DeviceType(_text(desc, "type")),
            manufacturer=_text(desc, "manufacturer"),
            model=_text(desc, "model"),
            serial=_text(desc, "serial"),
            firmware=_text(desc, "firmware"),
            suggested_room=_text(desc, "room") or room,
            properties=described.properties,
        )
        driver = NativeDriver(
            device,
            base,
            kinds=described.kinds,
            acknowledges=desc.get("acknowledges") is not False,
            interval=timedelta(seconds=interval_s) if interval_s and 0 < interval_s <= 86_400 else None,
        )
        wrong = described.wrong
        problems = (Problem(message.topic, "invalid_property", wrong),) if wrong else ()
        return Discovery(drivers=(driver,), problems=problems)

    def birth(self, namespace: Namespace) -> tuple[Publish, ...]:
        """`sc/1/<school>/controller`: every device publishes `avail` and `state` anew, at a random moment of 2 s."""
        return (Publish(f"{root(namespace)}controller", b'{"online":true}'),)


class NativeDriver:
    """One native device. It remembers the boot that the device is in, to tell a late last will from a real one."""

    __slots__ = (
        "_ack_topic",
        "_availability_topic",
        "_boot",
        "_command_topic",
        "_ended_boot",
        "_kinds",
        "_order",
        "_state_topic",
        "acknowledges",
        "device",
        "stale_after",
    )

    def __init__(
        self,
        device: Device,
        base: str,
        *,
        kinds: Mapping[str, Kind],
        acknowledges: bool,
        interval: timedelta | None,
    ) -> None:
        """`kinds`: of the device's properties, by name."""
        self.device = device
        self.acknowledges = acknowledges
        self.stale_after = interval * SILENT_INTERVALS if interval is not None else None
        self._command_topic = f"{base}/cmd"
        self._state_topic = f"{base}/state"
        self._ack_topic = f"{base}/ack"
        self._availability_topic = f"{base}/avail"
        self._kinds = kinds
        self._boot: int | None = None
        self._ended_boot: int | None = None  # the one whose will we heard
        self._order = (0, 0)  # seq and t of the last live state of this boot

    @property
    def topics(self) -> tuple[str, ...]:
        return (self._state_topic, self._ack_topic, self._availability_topic)

    def readings(self, topic: str) -> int:
        return len(self._kinds)

    def read(self, message: Message) -> tuple[Report | Acknowledgement | Problem, ...]:
        if message.topic == self._state_topic:
            return self._read_state(message) if message.retained else self._read_live_state(message)
        if message.topic == self._ack_topic:
            return self._read_acknowledgement(message)
        return self._read_availability(message)

    def write(self, command: Command) -> tuple[Publish, ...]:
        payload = {
            "id": command.id,
            "set": {command.property: command.value},
            "deadline": int(command.deadline.timestamp() * 1000),
        }
        return (Publish(self._command_topic, json.dumps(payload, ensure_ascii=False).encode()),)

    def _read_live_state(self, message: Message) -> tuple[Report | Problem, ...]:
        """A state that says nothing usable is a sign of life all the same."""
        try:
            return self._read_state(message)
        except InvalidPayload as error:
            here = Report(device_id=self.device.id, received=message.received)
            return here, Problem(message.topic, "invalid_payload", str(error))

    def _read_state(self, message: Message) -> tuple[Report | Problem, ...]:
        if not message.payload:
            return ()  # the retained state was cleared
        state = jsontext.loads_object(message.payload, limit_bytes=STATE_LIMIT_BYTES)
        raw = state.get("v")
        if not isinstance(raw, dict):
            raise InvalidPayload('"v" must be an object of values')
        boot = jsontext.integer(state, "boot") or 0
        order = (jsontext.integer(state, "seq") or 0, jsontext.integer(state, "t") or 0)
        if not message.retained:
            older = boot == self._boot and order[0] < self._order[0] and order[1] < self._order[1]
            if older:
                return ()  # a repeated delivery after a reconnect; newer values are known
            self._order = order
        alive = not (message.retained and boot == self._ended_boot)
        if alive:
            self._boot = boot
        values, problems = self._values(raw, message.topic)
        report = Report(
            device_id=self.device.id,
            values=values,
            # a state tells that its boot is running, unless its will has been heard: a retained one tells it of then
            availability=Availability.ONLINE if alive else None,
            retained=message.retained,
            received=message.received,
        )
        return (report, *problems)

    def _values(self, raw: dict[str, object], topic: str) -> tuple[dict[PropertyName, Value], tuple[Problem, ...]]:
        """The values of known properties; null says nothing, unknown names are ignored."""
        values: dict[PropertyName, Value] = {}
        wrong: list[str] = []
        for name, value in raw.items():
            kind = self._kinds.get(name)
            if kind is None or value is None:
                continue
            read = _value(kind, value)
            if read is None:
                wrong.append(f"{name} is no {kind.value}")
            else:
                values[PropertyName(name)] = read
        return values, (Problem(topic, "invalid_value", "; ".join(wrong)),) if wrong else ()

    def _read_acknowledgement(self, message: Message) -> tuple[Acknowledgement, ...]:
        if message.retained or not message.payload:
            return ()
        answer = jsontext.loads_object(message.payload, limit_bytes=STATE_LIMIT_BYTES)
        id, stage = answer.get("id"), answer.get("stage")
        if not isinstance(id, str) or not isinstance(stage, str) or stage not in set(Stage):
            raise InvalidPayload('an acknowledgement has an "id" and a "stage": accepted, executing, done, failed')
        retry_ms = jsontext.number(answer, "retry_after_ms")
        return (
            Acknowledgement(
                device_id=self.device.id,
                command_id=CommandId(id),
                stage=Stage(stage),
                code=_text(answer, "code")[:64],
                retry_after=timedelta(milliseconds=retry_ms) if retry_ms and 0 < retry_ms <= 3_600_000 else None,
            ),
        )

    def _read_availability(self, message: Message) -> tuple[Report, ...]:
        if not message.payload:
            return ()
        said = jsontext.loads_object(message.payload, limit_bytes=STATE_LIMIT_BYTES)
        online = said.get("online")
        if not isinstance(online, bool):
            raise InvalidPayload('"online" must be true or false')
        boot = jsontext.integer(said, "boot") or 0
        if online:
            if boot != self._boot:
                self._order = (0, 0)
            self._boot, self._ended_boot = boot, None
        else:
            if self._boot is not None and boot != self._boot:
                return ()  # the will of a connection before this one, sent late
            self._ended_boot = boot
        return (
            Report(
                device_id=self.device.id,
                availability=Availability.ONLINE if online else Availability.OFFLINE,
                retained=message.retained,
                received=message.received,
            ),
        )


def _value(kind: Kind, value: object) -> Value | None:
    """`value` if it is of `kind`."""
    if kind is Kind.NUMBER:
        return jsontext.finite(value)
    if kind is Kind.BOOL:
        return value if isinstance(value, bool) else None
    return jsontext.text(value, limit=TEXT_LIMIT)


def _text(source: dict[str, object], key: str) -> str:
    return jsontext.text(source.get(key), limit=TEXT_LIMIT) or ""


@dataclass(frozen=True, slots=True)
class _Described:
    """The properties that can be understood, the kinds of their values, and what is wrong with the others."""

    properties: tuple[Property, ...]
    kinds: Mapping[str, Kind]
    wrong: str

    @classmethod
    def of(cls, raw: Mapping[str, object]) -> Self:
        properties: list[Property] = []
        wrong: list[str] = []
        for name, each in raw.items():
            try:
                properties.append(_read_property(name, each))
            except InvalidPayload as error:
                wrong.append(f"{name[:64]}: {error}")
        return cls(tuple(properties), {each.name: each.kind for each in properties}, "; ".join(wrong)[:1000])


class _Descriptions:
    """What was read, by what was said: most devices are described like many others, and share it."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, _Described] = OrderedDict()

    def read(self, raw: Mapping[str, object]) -> _Described:
        said = repr(raw)
        if len(said) > SHARED_LENGTH:
            return _Described.of(raw)
        known = self._known.get(said)
        if known is None:
            known = self._known[said] = _Described.of(raw)
            if len(self._known) > SHARED_LIMIT:
                self._known.popitem(last=False)
        return known


_descriptions = _Descriptions()


def _read_properties(desc: dict[str, object]) -> _Described:
    """Raises `InvalidPayload`."""
    raw = desc.get("properties")
    if not isinstance(raw, dict):
        raise InvalidPayload('"properties" must be an object')
    if len(raw) > PROPERTIES_LIMIT:
        raise InvalidPayload(f"more than {PROPERTIES_LIMIT} properties")
    return _descriptions.read(raw)


def _read_property(name: str, raw: object) -> Property:
    """Raises `InvalidPayload`."""
    if not _PROPERTY.fullmatch(name):
        raise InvalidPayload("a name is lower-case words, joined by dots")
    if not isinstance(raw, dict):
        raise InvalidPayload("must be an object")
    kind = raw.get("kind")
    if not isinstance(kind, str) or kind not in _KINDS:
        raise InvalidPayload(f"kind must be one of {', '.join(Kind)}")
    capability = raw.get("capability")
    options = raw.get("options", [])
    if not isinstance(options, list) or len(options) > PROPERTIES_LIMIT:
        raise InvalidPayload("options must be a list")
    if any(jsontext.text(each, limit=TEXT_LIMIT) is None for each in options):
        raise InvalidPayload("options must be texts")
    settable = raw.get("settable") is True
    if settable and kind == Kind.ENUM and not options:
        raise InvalidPayload("needs options, as it can be set")
    step = jsontext.number(raw, "step")
    return Property(
        name=PropertyName(name),
        capability=_CAPABILITIES.get(capability, Capability.OTHER) if isinstance(capability, str) else Capability.OTHER,
        kind=_KINDS[kind],
        unit=_text(raw, "unit")[:16],
        minimum=jsontext.number(raw, "minimum"),
        maximum=jsontext.number(raw, "maximum"),
        step=step if step is not None and step > 0 else None,
        options=tuple(options),
        settable=settable,
        reported=raw.get("reported") is not False,
    )


def describe(device: Device, *, acknowledges: bool = True, interval_s: float | None = None) -> bytes:
    """The `desc` payload of a device: the inverse of `discover`, for those who are a device."""
    desc: dict[str, object] = {"format": FORMAT, "name": device.name}
    for key in ("type", "manufacturer", "model", "serial", "firmware"):
        if value := getattr(device, key):
            desc[key] = value
    if device.suggested_room:
        desc["room"] = device.suggested_room
    if not acknowledges:
        desc["acknowledges"] = False
    if interval_s is not None:
        desc["interval_s"] = interval_s
    desc["properties"] = {each.name: _describe_property(each) for each in device.properties}
    return json.dumps(desc, ensure_ascii=False).encode()


def _describe_property(of: Property) -> dict[str, object]:
    described: dict[str, object] = {"capability": of.capability.value, "kind": of.kind.value}
    if of.unit:
        described["unit"] = of.unit
    for key, value in (("minimum", of.minimum), ("maximum", of.maximum), ("step", of.step)):
        if value is not None:
            described[key] = value
    if of.options:
        described["options"] = list(of.options)
    if of.settable:
        described["settable"] = True
    if not of.reported:
        described["reported"] = False
    return described


def native_id(namespace: Namespace, room: str, device: str) -> DeviceId:
    """The id of the device on `sc/1/<namespace>/<room>/<device>`."""
    return device_id(namespace, NAME, f"{room}/{device}")
