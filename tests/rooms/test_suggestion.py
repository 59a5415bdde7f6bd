"""Which scenes a room begins with."""

from dataclasses import replace

from devices.device import Capability, Device, DeviceId, DeviceType, Kind, Namespace, Property, PropertyName, Value
from rooms.room import RoomId
from rooms.scene import Importance, Scene, SceneStep
from rooms.suggestion import suggested_scenes

ROOM = RoomId("xuan-4a")


def enum(name: str, capability: Capability, *options: str, settable: bool = True) -> Property:
    return Property(name=PropertyName(name), capability=capability, kind=Kind.ENUM, options=options, settable=settable)


def number(name: str, capability: Capability, low: float | None = None, high: float | None = None) -> Property:
    return Property(
        name=PropertyName(name), capability=capability, kind=Kind.NUMBER, minimum=low, maximum=high, settable=True
    )


def device(type: str, *properties: Property, id: str = "") -> Device:
    id = id or type
    return Device(
        id=DeviceId(id),
        namespace=Namespace("x"),
        dialect="native",
        key=id,
        name=id,
        type=DeviceType(type),
        properties=properties,
    )


POWER = enum("power", Capability.POWER, "off", "on")
PROJECTOR = device("projector", POWER, enum("av_source", Capability.AV_SOURCE, "VGA", "HDMI 1", "HDMI 2"))
SCREEN = device("motor_screen", enum("cover", Capability.COVER, "open", "closed", "stopped"))
LIGHT = device("light", POWER, number("level", Capability.LEVEL, 0, 100))
AC = device(
    "ac",
    enum("climate.mode", Capability.CLIMATE, "off", "cool"),
    number("climate.setpoint", Capability.CLIMATE, 16, 30),
)
CAMERA = device("ptz_camera", POWER, enum("ptz.preset", Capability.PTZ, "board", "class"))
MIC = device(
    "mic",
    Property(name=PropertyName("microphone"), capability=Capability.MICROPHONE, kind=Kind.BOOL, settable=True),
)
SENSOR = device("co2_sensor", Property(name=PropertyName("co2"), capability=Capability.CO2, kind=Kind.NUMBER))
ALL = (SENSOR, MIC, CAMERA, AC, LIGHT, SCREEN, PROJECTOR)


def values(scene: Scene) -> dict[str, Value]:
    return {step.id: step.value for step in scene.steps}


def by_id(scene: Scene) -> dict[str, SceneStep]:
    return {step.id: step for step in scene.steps}


def test_room_with_everything_gets_ready_and_goes_back() -> None:
    lesson, end = suggested_scenes(ROOM, ALL)
    assert (lesson.name, end.name, lesson.room_id) == ("lesson", "end", ROOM)
    assert values(lesson) == {
        "down-motor_screen": "closed",
        "on-projector": "on",
        "input-projector": "HDMI 1",
        "dim-light": 40,
        "cool-ac": "cool",
        "setpoint-ac": 26,
        "on-ptz_camera": "on",
        "view-ptz_camera": "class",
        "open-mic": False,
    }
    assert values(end) == {
        "off-projector": "off",
        "up-motor_screen": "open",
        "bright-light": 100,
        "off-ac": "off",
        "off-ptz_camera": "off",
        "mute-mic": True,
    }


def test_projector_does_not_wait_for_the_screen_and_its_input_needs_it_on() -> None:
    steps = by_id(suggested_scenes(ROOM, ALL)[0])
    assert steps["on-projector"].after == ()  # it warms up while the screen comes down
    assert steps["input-projector"].needs == ("on-projector",)
    assert steps["view-ptz_camera"].needs == ("on-ptz_camera",)
    essential = {step.id for step in steps.values() if step.importance is Importance.ESSENTIAL}
    assert essential == {"on-projector", "input-projector", "open-mic"}


def test_order_of_devices_changes_nothing() -> None:
    assert suggested_scenes(ROOM, ALL) == suggested_scenes(ROOM, reversed(ALL))


def test_only_what_devices_offer_is_used() -> None:
    simple = device("projector", enum("power", Capability.POWER, "off", "on", settable=False))
    hot = replace(AC, properties=(AC.properties[0], number("climate.setpoint", Capability.CLIMATE, 28, 32)))
    [lesson, end] = suggested_scenes(ROOM, (simple, hot, SENSOR))
    assert values(lesson) == {"cool-ac": "cool"}
    assert values(end) == {"off-ac": "off"}


def test_camera_without_a_switch_still_looks_at_the_class() -> None:
    [lesson] = suggested_scenes(ROOM, [replace(CAMERA, properties=CAMERA.properties[1:])])
    assert [(step.id, step.value, step.needs) for step in lesson.steps] == [("view-ptz_camera", "class", ())]


def test_two_devices_of_a_kind_each_have_their_steps() -> None:
    [lesson, _] = suggested_scenes(ROOM, [LIGHT, replace(LIGHT, id=DeviceId("second"))])
    assert values(lesson) == {"dim-light": 40, "dim-second": 40}


def test_room_with_nothing_to_set_has_no_scenes() -> None:
    assert suggested_scenes(ROOM, [SENSOR]) == ()
