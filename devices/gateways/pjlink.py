"""PJLink class 1 and 2: projectors of most makers over TCP (JBMIA, PJLink specifications 5-1, 1.04 and 2.00).

`aiopjlink` speaks the protocol; this file says what its answers mean for us. `docs/pjlink.md` is for technicians.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import timedelta
from typing import ClassVar, TypeVar

from aiopjlink import (
    Errors,
    Lamp,
    PJClass,
    PJLink,
    PJLinkConnectionClosed,
    PJLinkERR1,
    PJLinkERR2,
    PJLinkERR3,
    PJLinkERR4,
    PJLinkException,
    PJLinkNoConnection,
    PJLinkPassword,
    PJLinkUnexpectedResponseParameter,
    Power,
    Sources,
)

from devices.device import (
    Capability,
    Command,
    CommandCode,
    Device,
    DeviceAddress,
    DeviceType,
    Kind,
    Property,
    PropertyName,
    Stage,
    Value,
)
from devices.driver import GatewayDriver
from devices.errors import AuthenticationRefused, DeviceUnreachable, InvalidCommand, InvalidPayload
from devices.gateways.gateway import Answer, Conversation, Reading

NAME = "pjlink"
PORT = 4352
QUIET_FOR = timedelta(seconds=120)
"""After switching on or off many answer nothing for 20 s to 2 min."""
NAMES_S = 15.0
"""For the names of all inputs; those that are not known by then are called by what they are."""
INPUTS_LIMIT = 40
LAMPS_LIMIT = 8
TEXT_LIMIT = 255

POWER = PropertyName("power")
SOURCE = PropertyName("av_source")
MUTE, MUTE_PICTURE, MUTE_SOUND = (PropertyName(f"av_mute{part}") for part in ("", ".picture", ".sound"))
FREEZE = PropertyName("av_mute.freeze")
FILTER_HOURS = PropertyName("consumable.filter_hours")
HEALTH = PropertyName("health")

_POWERS = {
    Power.State.OFF: "off",
    Power.State.ON: "on",
    Power.State.COOLING: "cooling",
    Power.State.WARMING: "warming",
}
_MODES = {"1": "RGB", "2": "Video", "3": "Digital", "4": "Storage", "5": "Network", "6": "Internal"}
_LEVELS = {Errors.Level.OK: "ok", Errors.Level.WARN: "warning", Errors.Level.ERROR: "fault"}
_REFUSED = PJLinkERR1, PJLinkERR2, PJLinkERR4
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What a projector says that it is."""

    protocol_class: int = 1
    inputs: Mapping[str, str] = field(default_factory=dict)  # "31" -> "HDMI 1"; no name twice
    lamps: int = 0
    mute: bool = True
    freeze: bool = False
    filter: bool = False
    manufacturer: str = ""
    model: str = ""
    name: str = ""
    serial: str = ""
    firmware: str = ""
    complete: bool = False  # False: in standby it could not say all

    def to_json(self) -> bytes:
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True).encode()

    @classmethod
    def of(cls, payload: bytes) -> "Description":
        """What `to_json` made; of anything else, what is true of every projector."""
        try:
            return cls(**json.loads(payload))
        except (ValueError, TypeError):
            return cls()


@dataclass(frozen=True, slots=True, kw_only=True)
class PJLinkGateway:
    """Projectors at their addresses."""

    name: ClassVar[str] = NAME
    port: ClassVar[int] = PORT
    answer_s: float = 4.0
    """For one line. A projector has to answer within 2 s (5-1, 2.1); some do not."""
    busy_again: timedelta = timedelta(seconds=2)
    """After which a busy projector is asked again."""

    def driver(self, address: DeviceAddress, description: bytes) -> GatewayDriver:
        known = Description.of(description)
        device = Device(
            id=address.device_id,
            namespace=address.namespace,
            dialect=NAME,
            key=address.device_id,
            name=address.name or known.name or f"{known.manufacturer} {known.model}".strip(),
            type=DeviceType.PROJECTOR,
            manufacturer=known.manufacturer,
            model=known.model,
            serial=known.serial,
            firmware=known.firmware,
            properties=tuple(_properties(known, reached=bool(description))),
        )
        return GatewayDriver(device=device, description=description)

    @asynccontextmanager
    async def converse(self, address: DeviceAddress) -> AsyncIterator[Conversation]:
        link = PJLink(address.host, port=address.port, password=address.password or None, timeout=self.answer_s)
        try:
            with _translated():
                await _log_in(link)
            yield _Conversation(link, self.busy_again)
        finally:
            # Where it fails before there is a connection, 1.0.5 has none to close; where the login fails it leaves
            # the connection open.
            with suppress(AttributeError):
                await link.__aexit__(None, None, None)


async def _log_in(link: PJLink) -> None:
    with suppress(PJLinkERR1, PJLinkERR3, PJLinkERR4):  # of the power that it asks for once it is logged in
        await link.__aenter__()


class _Conversation:
    """One connection."""

    def __init__(self, link: PJLink, busy_again: timedelta) -> None:
        self._link = link
        self._busy_again = busy_again
        self._asked_too_early = False

    async def describe(self, known: bytes) -> bytes:
        with _translated():
            return (await self._describe(Description.of(known))).to_json()

    async def _describe(self, known: Description) -> Description:
        link, text = self._link, self._text
        self._asked_too_early = False
        power = await self._or(None, link.power.get())
        protocol_class = await self._or(PJClass.ONE, link.info.pjlink_class())
        two = protocol_class is PJClass.TWO
        described = replace(
            known,
            protocol_class=int(protocol_class.value),
            manufacturer=await text(known.manufacturer, link.info.manufacturer_name()),
            model=await text(known.model, link.info.product_name()),
            name=await text(known.name, link.info.projector_name()),
            serial=await text(known.serial, link.info.serial_number()) if two else "",
            firmware=await text(known.firmware, link.info.software_version()) if two else "",
            inputs=await self._inputs(known, protocol_class),
            lamps=min(LAMPS_LIMIT, len(await self._or([], link.lamps.status()))) or known.lamps,
            mute=await self._has(link.mute.status()),
            freeze=two and await self._has(link.freeze.get()),
            filter=two and await self._has(link.filter.hours()),
        )
        return replace(described, complete=power is Power.State.ON or not self._asked_too_early)

    async def _inputs(self, known: Description, protocol_class: PJClass) -> dict[str, str]:
        found = await self._or([], self._link.sources.available(pjclass=protocol_class))
        loop = asyncio.get_running_loop()
        names, enough_at = dict[str, str](), loop.time() + NAMES_S
        for mode, index in found[:INPUTS_LIMIT]:
            code = f"{mode.value}{index}"
            own = ""
            if protocol_class is PJClass.TWO and loop.time() < enough_at:
                own = await self._text(known.inputs.get(code, ""), self._link.sources.get_source_name(mode, index))
            name = own or f"{_MODES[mode.value]} {index}"
            names[code] = f"{name} ({code})" if name in names.values() else name
        return names or dict(known.inputs)

    async def _text(self, before: str, answer: Awaitable[str]) -> str:
        return (await self._or(before, answer)).strip()[:TEXT_LIMIT]

    async def _has(self, answer: Awaitable[object]) -> bool:
        """Whether there is such a thing; it cannot be used at all times."""
        return await self._or(True, self._not_undefined(answer))

    @staticmethod
    async def _not_undefined(answer: Awaitable[object]) -> bool:
        try:
            await answer
        except _REFUSED:
            return False
        return True

    async def _or(self, otherwise: T, answer: Awaitable[T]) -> T:
        """The answer; `otherwise` where there is no such thing, or not now."""
        try:
            return await answer
        except PJLinkERR3:
            self._asked_too_early = True
            return otherwise
        except (*_REFUSED, PJLinkUnexpectedResponseParameter, ValueError):
            return otherwise

    async def read(self, driver: GatewayDriver, *, thorough: bool) -> Reading:
        known = Description.of(driver.description)
        with _translated():
            try:
                power = await self._link.power.get()
            except PJLinkERR3:  # between two states
                return Reading(values={}, moving=True)
            except _REFUSED:
                return Reading(values={}, unknown=frozenset({POWER}))
            moving = power in (Power.State.WARMING, Power.State.COOLING)
            on = power is Power.State.ON
            values: dict[PropertyName, Value] = {POWER: _POWERS[power]}
            if on:
                values |= await self._picture(known)
            if thorough and not moving:
                values |= await self._condition(known)
        unknown = frozenset() if on else frozenset({SOURCE, MUTE, MUTE_PICTURE, MUTE_SOUND, FREEZE})
        return Reading(values=values, unknown=unknown, moving=moving, describe=on and not known.complete)

    async def _picture(self, known: Description) -> dict[PropertyName, Value]:
        values: dict[PropertyName, Value] = {}
        protocol_class = PJClass(str(known.protocol_class))
        source = await self._or(None, self._link.sources.get(pjclass=protocol_class)) if known.inputs else None
        if source is not None:
            code = f"{source[0].value}{source[1]}"
            values[SOURCE] = known.inputs.get(code, code)
        muted = await self._or(None, self._link.mute.status()) if known.mute else None
        if muted is not None:
            picture, sound = muted
            values |= {MUTE: picture and sound, MUTE_PICTURE: picture, MUTE_SOUND: sound}
        frozen = await self._or(None, self._link.freeze.get()) if known.freeze else None
        return values if frozen is None else values | {FREEZE: frozen}

    async def _condition(self, known: Description) -> dict[PropertyName, Value]:
        """What wears out, and what the projector complains of."""
        values: dict[PropertyName, Value] = {}
        lamps: list[tuple[int, Lamp.State]] = await self._or([], self._link.lamps.status()) if known.lamps else []
        for number, (hours, _) in enumerate(lamps[: known.lamps], 1):
            values[_lamp_hours(number)] = hours
        filter_hours = await self._or(None, self._link.filter.hours()) if known.filter else None
        if filter_hours is not None:
            values[FILTER_HOURS] = filter_hours
        levels = await self._or({}, self._link.errors.query())
        for part, level in levels.items():
            values[_health_of(part)] = _LEVELS[level]
        if levels:
            values[HEALTH] = _LEVELS[max(levels.values(), key=list(_LEVELS).index)]
        return values

    async def set(self, driver: GatewayDriver, command: Command) -> Answer:
        """A "done" means that the projector has taken it: that it is so, only a reading shows."""
        change = self._change(Description.of(driver.description), command)
        with _translated():
            try:
                await change()
            except PJLinkERR1:
                return Answer(stage=Stage.FAILED, code=CommandCode.UNSUPPORTED)
            except PJLinkERR2:
                return Answer(stage=Stage.FAILED, code=CommandCode.REJECTED)
            except PJLinkERR3:
                return Answer(stage=Stage.FAILED, code=CommandCode.BUSY, retry_after=self._busy_again)
            except PJLinkERR4:
                return Answer(stage=Stage.FAILED, code=CommandCode.DEVICE_FAULT)
        if command.property == POWER:
            return Answer(stage=Stage.EXECUTING, quiet_for=QUIET_FOR)
        return Answer(stage=Stage.DONE)

    def _change(self, known: Description, command: Command) -> Callable[[], Awaitable[None]]:
        """Raises `InvalidCommand`."""
        link, yes = self._link, command.value is True
        changes: dict[str, Callable[[], Awaitable[None]]] = {
            POWER: lambda: link.power.set(Power.ON if command.value == "on" else Power.OFF),
            MUTE: lambda: link.mute.both(yes),
            MUTE_PICTURE: lambda: link.mute.video(yes),
            MUTE_SOUND: lambda: link.mute.audio(yes),
            FREEZE: lambda: link.freeze.set(yes),
        }
        if command.property == SOURCE:
            return self._selection(known, command.value)
        if command.property not in changes:
            raise InvalidCommand(f"a projector has no {command.property} to set")
        return changes[command.property]

    def _selection(self, known: Description, name: Value) -> Callable[[], Awaitable[None]]:
        """Raises `InvalidCommand`."""
        code = next((code for code, each in known.inputs.items() if each == name), None)
        if code is None:
            raise InvalidCommand(f"the projector has no input {name!r} any more")
        mode, protocol_class = Sources.Mode(code[0]), PJClass(str(known.protocol_class))
        return lambda: self._link.sources.set(mode, code[1], pjclass=protocol_class)


@contextmanager
def _translated() -> Iterator[None]:
    """What goes wrong, in our words. `aiopjlink` lets through what its own reading and parsing raises."""
    try:
        yield
    except PJLinkPassword as error:
        raise AuthenticationRefused(f"the projector asks for its PJLink password: {error}") from error
    except (PJLinkNoConnection, PJLinkConnectionClosed, OSError) as error:
        reason = str(error) or "no answer in time"
        raise DeviceUnreachable(f"the projector does not answer: {reason[:200]}") from error
    except (PJLinkException, ValueError, TypeError, LookupError, asyncio.LimitOverrunError) as error:
        raise InvalidPayload(f"this is no answer of PJLink: {str(error)[:200]}") from error
    finally:
        # `aiopjlink` waits by `asyncio.wait_for`: in Python 3.11 that loses a cancellation which comes with its result
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise asyncio.CancelledError


def _properties(known: Description, *, reached: bool) -> Iterator[Property]:
    yield Property(name=POWER, capability=Capability.POWER, kind=Kind.ENUM, options=("on", "off"), settable=True)
    if not reached:
        return
    if known.inputs:
        options = tuple(known.inputs.values())
        yield Property(name=SOURCE, capability=Capability.AV_SOURCE, kind=Kind.ENUM, options=options, settable=True)
    switches = [*((MUTE, MUTE_PICTURE, MUTE_SOUND) if known.mute else ()), *((FREEZE,) if known.freeze else ())]
    for name in switches:
        yield Property(name=name, capability=Capability.AV_MUTE, kind=Kind.BOOL, settable=True)
    hours = [*map(_lamp_hours, range(1, known.lamps + 1)), *((FILTER_HOURS,) if known.filter else ())]
    for name in hours:
        yield Property(name=name, capability=Capability.CONSUMABLE, kind=Kind.NUMBER, unit="h")
    for name in (HEALTH, *map(_health_of, Errors.Category)):
        yield Property(name=name, capability=Capability.HEALTH, kind=Kind.ENUM)


def _lamp_hours(number: int) -> PropertyName:
    return PropertyName("consumable.lamp_hours" if number == 1 else f"consumable.lamp_{number}_hours")


def _health_of(part: Errors.Category) -> PropertyName:
    return PropertyName(f"health.{part.value}")
