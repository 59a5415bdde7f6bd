"""One device out of the components that announce themselves under its identity.

Home Assistant's MQTT has no projector and no classroom camera: a projector arrives as a switch, a select and some
sensors. Here they become properties of one device, each under its capability's name where it is the only one or the
main one, and under `<name>.<slug>` otherwise.

**Reported power.** A sensor that says how far a device is switched on (`power.py`: its options are power words) becomes
the reported side of the device's switch: commands go to the switch, and "warming" is seen. One that is only named like
`power_state` may as well speak of the mains: it stays a property of its own, and is the reported side, too, from its
first power word on.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from devices.device import Capability, DeviceType, Property, PropertyName, Value
from devices.dialects.homeassistant.announcement import Component, Identity
from devices.dialects.homeassistant.entity import Feature, Read, Role, Write, slug_of
from devices.dialects.homeassistant.payload import Payload

_PLATFORM_RANK = {"light": 0, "fan": 0, "climate": 0, "cover": 0}  # a lamp's own power before that of an extra switch
_MAIN_WORDS = frozenset({"power", "pwr", "main", "nguon"})


@dataclass(frozen=True, slots=True)
class Reader:
    """One reading of a component, with its roles under the device's property names."""

    topic: str
    read: Read
    names: Mapping[Role, PropertyName]  # roles that are not in it are not reported from here

    def values(self, payload: Payload) -> dict[PropertyName, Value | None]:
        """None: the device does not know."""
        names = self.names
        return {names[role]: value for role, value in self.read(payload).items() if role in names}


@dataclass(frozen=True, slots=True)
class Composition:
    """A device's properties and how to read and write them."""

    properties: tuple[Property, ...]
    readers: tuple[Reader, ...]
    writers: Mapping[PropertyName, Write]


@dataclass(slots=True)
class _Claim:
    """A feature on its way to a name."""

    component: Component
    feature: Feature
    reads: bool = True  # its component's readings count for it
    name: PropertyName = PropertyName("")

    @property
    def rank(self) -> tuple[bool, bool, int, bool, str]:
        """The lowest keeps the plain name."""
        label = self.component.label
        return (
            self.feature.write is None,
            bool(label.category),
            _PLATFORM_RANK.get(self.component.platform, 1),
            not label.words & _MAIN_WORDS,
            self.component.unique_id,
        )


def compose(components: Sequence[Component]) -> Composition:
    """The properties of a device with these components; the same whatever order they were announced in."""
    ordered = sorted(components, key=lambda each: (each.unique_id, each.platform, each.key))
    claims = [_Claim(component, feature) for component in ordered for feature in component.parts.features]
    merged = _merge_reported_power(claims)
    hearing = None if merged else _hear_reported_power(ordered, claims)
    if hearing is not None:
        merged[id(hearing.sensor), "power"] = hearing.switch
    _name(claims)
    names: dict[int, dict[Role, PropertyName]] = {id(component): {} for component in ordered}
    for each in claims:
        if each.reads:
            names[id(each.component)][each.feature.role] = each.name
    for (source, role), claim in merged.items():
        names[source][role] = claim.name
    readers = [
        Reader(
            reading.topic,
            reading.read if hearing is None else hearing.read_of(component, reading.read),
            names[id(component)],
        )
        for component in ordered
        for reading in component.parts.readings
    ]
    return Composition(
        properties=tuple(_property(claim) for claim in claims),
        readers=tuple(readers),
        writers={claim.name: claim.feature.write for claim in claims if claim.feature.write is not None},
    )


def _merge_reported_power(claims: list[_Claim]) -> dict[tuple[int, Role], _Claim]:
    """Give the main switch its power sensor's readings, and drop the sensor's own property."""
    powers = sorted((claim for claim in claims if claim.feature.role == "power"), key=lambda claim: claim.rank)
    sensors = [claim for claim in powers if claim.component.platform == "sensor"]
    if not sensors or powers[0].component.platform != "switch":
        return {}
    switch, sensor = powers[0], sensors[0]
    switch.reads = False
    switch.feature = replace(switch.feature, reported=True)
    claims.remove(sensor)
    return {(id(sensor.component), sensor.feature.role): switch}


class _Hearing:
    """A switch, and a sensor that may say its power better: from its first power word on, the switch is not heard."""

    def __init__(self, switch: _Claim, sensor: Component) -> None:
        self.switch = switch
        self.sensor = sensor
        self._heard = False

    def read_of(self, component: Component, read: Read) -> Read:
        if component is self.sensor:
            return lambda payload: self._note(read(payload))
        if component is self.switch.component:
            return lambda payload: {} if self._heard else read(payload)
        return read

    def _note(self, found: Mapping[Role, Value | None]) -> Mapping[Role, Value | None]:
        self._heard = self._heard or found.get("power") is not None
        return found


def _hear_reported_power(components: Iterable[Component], claims: Iterable[_Claim]) -> _Hearing | None:
    """For a device whose main power is a switch, with a sensor that is named for power."""
    switch = min((each for each in claims if each.feature.role == "power"), key=lambda each: each.rank, default=None)
    sensor = next((each for each in components if each.parts.tells_power), None)
    if switch is None or sensor is None or switch.component.platform != "switch":
        return None
    return _Hearing(switch, sensor)


def _name(claims: Iterable[_Claim]) -> None:
    taken: set[str] = set()
    for claim in sorted(claims, key=lambda claim: claim.rank):
        role, slug = claim.feature.role, claim.component.label.slug
        name = role
        if name in taken:
            base = name = f"{role}_{slug}" if "." in role else f"{role}.{slug}"
            count = 2
            while name in taken:
                name, count = f"{base}_{count}", count + 1
        taken.add(name)
        claim.name = PropertyName(name)


def _property(claim: _Claim) -> Property:
    feature = claim.feature
    return Property(
        name=claim.name,
        capability=feature.capability,
        kind=feature.kind,
        unit=feature.unit,
        minimum=feature.minimum,
        maximum=feature.maximum,
        step=feature.step,
        scale=feature.scale,
        tolerance=feature.tolerance,
        options=feature.options,
        settable=feature.write is not None,
        reported=feature.reported,
    )


def guess_type(identity: Identity, components: Iterable[Component], properties: Iterable[Property]) -> DeviceType:
    """What kind of classroom device this is, from what it can do and what it is called; `OTHER` where nothing tells."""
    words = set(slug_of(f"{identity.name} {identity.model} {identity.manufacturer}").split("_"))
    text = " " + " ".join(slug_of(part).replace("_", " ") for part in (identity.name, identity.model)) + " "
    names = {each.name for each in properties}
    capabilities = {each.capability for each in properties}
    platforms = {each.platform for each in components}

    def called(*phrases: str) -> bool:
        return any(f" {phrase} " in text for phrase in phrases)

    if "climate" in platforms:
        return DeviceType.AC
    if Capability.AV_SOURCE in capabilities and "power" in names:
        return (
            DeviceType.IFP
            if called("ifp", "interactive", "whiteboard", "tv", "tuong tac", "ti vi")
            else DeviceType.PROJECTOR
        )
    if "power" in names and (called("projector", "may chieu", "pjlink") or "consumable.lamp_hours" in names):
        return DeviceType.PROJECTOR
    if "cover" in platforms:
        return DeviceType.MOTOR_SCREEN if called("screen", "man chieu") else DeviceType.BLIND
    if "light" in platforms or ("power" in names and (called("light", "lights", "den", "lamp") or "level" in names)):
        return DeviceType.LIGHT
    if Capability.PTZ in capabilities or (words & {"ptz", "camera"} and capabilities & {Capability.CAMERA_STREAM}):
        return DeviceType.PTZ_CAMERA
    if "fan" in platforms:
        return DeviceType.FAN
    if Capability.CO2 in capabilities:
        return DeviceType.CO2_SENSOR
    if Capability.OCCUPANCY in capabilities:
        return DeviceType.OCCUPANCY_SENSOR
    if "power" in names:
        return DeviceType.SMART_PLUG if Capability.METER in capabilities else DeviceType.SWITCH
    if capabilities & {Capability.TEMPERATURE, Capability.HUMIDITY, Capability.PM25, Capability.ILLUMINANCE}:
        return DeviceType.ENVIRONMENT_SENSOR
    return DeviceType.CONTACT_SENSOR if Capability.CONTACT in capabilities else DeviceType.OTHER
