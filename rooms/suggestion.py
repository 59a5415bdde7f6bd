"""The scenes a room begins with, made from the devices that are in it; a technician changes what does not fit.

`lesson`: screen down and projector on, then its input; light dimmed, air conditioner on, camera on the class, sound
open. `end`: everything back. Only what the devices offer is used.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from devices.device import Capability, Device, DeviceId, Kind, Property, PropertyName, Value
from rooms.room import RoomId
from rooms.scene import END_SCENE, LESSON_SCENE, Importance, Scene, SceneStep, StepId

LESSON_LIGHT_PERCENT = 40
LESSON_CELSIUS = 26
TRAVEL = timedelta(seconds=60)  # a motor screen or blind on its way
WARM_UP = timedelta(seconds=90)  # a projector from standby to picture
QUICK = timedelta(seconds=10)

PRESENTERS = ("projector", "ifp", "display", "tv")
"""Types of devices that show the lesson; without one of them the class sees nothing."""


@dataclass(frozen=True, slots=True)
class _Wish:
    """One thing to set, if the device has it."""

    name: str
    capability: Capability
    value: Value
    importance: Importance
    deadline: timedelta = QUICK


def suggested_scenes(room_id: RoomId, devices: Iterable[Device]) -> tuple[Scene, ...]:
    """`lesson` and `end` for a room with these devices; a scene that would be empty is left out."""
    ordered = sorted(devices, key=lambda device: (device.type, device.name, device.id))
    scenes = (
        Scene(room_id=room_id, name=LESSON_SCENE, steps=tuple(_lesson_steps(ordered))),
        Scene(room_id=room_id, name=END_SCENE, steps=tuple(_end_steps(ordered))),
    )
    return tuple(scene for scene in scenes if scene.steps)


def _lesson_steps(devices: list[Device]) -> Iterator[SceneStep]:
    # The screen is on its way while the projector warms up: waiting for one before the other would cost the class time.
    for device in _of_type(devices, "motor_screen"):
        yield from _steps(device, [_Wish("down", Capability.COVER, "closed", Importance.USEFUL, TRAVEL)])
    for device in devices:
        if device.type in PRESENTERS:
            on = _step(device, _Wish("on", Capability.POWER, "on", Importance.ESSENTIAL, WARM_UP))
            if on is not None:
                yield on
                yield from _input(device, on.id)
    for device in _of_type(devices, "light"):
        yield from _steps(device, [_Wish("dim", Capability.LEVEL, LESSON_LIGHT_PERCENT, Importance.COMFORT)])
    for device in _of_type(devices, "ac"):
        wishes = [
            _Wish("cool", Capability.CLIMATE, "cool", Importance.COMFORT),
            _Wish("setpoint", Capability.CLIMATE, LESSON_CELSIUS, Importance.COMFORT),
        ]
        yield from _steps(device, wishes)
    for device in _of_type(devices, "ptz_camera"):
        on = _step(device, _Wish("on", Capability.POWER, "on", Importance.USEFUL))
        if on is not None:
            yield on
        yield from _preset(device, on)
    for device in _of_type(devices, "mic"):
        yield from _steps(device, [_Wish("open", Capability.MICROPHONE, False, Importance.ESSENTIAL)])


def _end_steps(devices: list[Device]) -> Iterator[SceneStep]:
    for device in devices:
        if device.type in PRESENTERS:
            yield from _steps(device, [_Wish("off", Capability.POWER, "off", Importance.USEFUL, WARM_UP)])
    for device in _of_type(devices, "motor_screen"):
        yield from _steps(device, [_Wish("up", Capability.COVER, "open", Importance.COMFORT, TRAVEL)])
    for device in _of_type(devices, "light"):
        yield from _steps(device, [_Wish("bright", Capability.LEVEL, 100, Importance.COMFORT)])
    for device in _of_type(devices, "ac"):
        yield from _steps(device, [_Wish("off", Capability.CLIMATE, "off", Importance.COMFORT)])
    for device in _of_type(devices, "ptz_camera"):
        yield from _steps(device, [_Wish("off", Capability.POWER, "off", Importance.USEFUL)])
    for device in _of_type(devices, "mic"):
        yield from _steps(device, [_Wish("mute", Capability.MICROPHONE, True, Importance.USEFUL)])


def _of_type(devices: list[Device], type: str) -> Iterator[Device]:
    return (device for device in devices if device.type == type)


def _steps(device: Device, wishes: Iterable[_Wish]) -> Iterator[SceneStep]:
    for wish in wishes:
        step = _step(device, wish)
        if step is not None:
            yield step


def _step(device: Device, wish: _Wish) -> SceneStep | None:
    """None where the device has no such thing to set."""
    for property in device.properties:
        if property.capability is wish.capability and _takes(property, wish.value):
            return SceneStep(
                id=_id(wish.name, device.id),
                device_id=device.id,
                property=property.name,
                value=wish.value,
                importance=wish.importance,
                deadline=wish.deadline,
            )
    return None


def _input(device: Device, on: StepId) -> Iterator[SceneStep]:
    """The room PC is on the first HDMI input, where there is one; a projector takes an input only once it is on."""
    source = _options(device, Capability.AV_SOURCE)
    if source is None:
        return
    name, options = source
    first = next((option for option in options if option.upper().startswith("HDMI")), options[0])
    yield SceneStep(
        id=_id("input", device.id),
        device_id=device.id,
        property=name,
        value=first,
        importance=Importance.ESSENTIAL,
        deadline=QUICK,
        needs=(on,),
    )


def _preset(device: Device, on: SceneStep | None) -> Iterator[SceneStep]:
    """The class in view; a camera with a switch turns only once it is on."""
    preset = _options(device, Capability.PTZ)
    if preset is None:
        return
    name, options = preset
    view = next((option for option in options if "class" in option.lower()), options[0])
    yield SceneStep(
        id=_id("view", device.id),
        device_id=device.id,
        property=name,
        value=view,
        deadline=QUICK,
        needs=(on.id,) if on else (),
    )


def _options(device: Device, capability: Capability) -> tuple[PropertyName, tuple[str, ...]] | None:
    for property in device.properties:
        if property.capability is capability and property.settable and property.options:
            return property.name, property.options
    return None


def _takes(property: Property, value: Value) -> bool:
    if not property.settable:
        return False
    match property.kind:
        case Kind.ENUM:
            return value in property.options
        case Kind.BOOL:
            return isinstance(value, bool)
        case Kind.NUMBER:
            if isinstance(value, bool) or not isinstance(value, int | float):
                return False
            above = property.minimum is None or property.minimum <= value
            return above and (property.maximum is None or value <= property.maximum)
        case _:
            return False


def _id(name: str, device_id: DeviceId) -> StepId:
    return StepId(f"{name}-{device_id}")
