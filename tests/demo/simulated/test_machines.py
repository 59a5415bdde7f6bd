"""The physics, by the clock in the test's hand."""

import itertools

import pytest

from demo.simulated.air_conditioner import AirConditioner
from demo.simulated.camera import Camera
from demo.simulated.light import Light
from demo.simulated.machine import DONE, EXECUTING, Machine, Speeds, Taken
from demo.simulated.projector import Projector
from demo.simulated.screen import Screen
from demo.simulated.sensors import AirSensor, OccupancySensor
from devices.device import Stage, Value

SPEEDS = Speeds(warm_up_s=20, cool_down_s=10, travel_s=10, progress_s=1, camera_move_s=2, sensor_interval_s=15)


def value(machine: Machine, name: str, now: float) -> Value:
    return machine.values(now)[name]


def test_projector_warms_up_and_cools_down() -> None:
    projector = Projector("S1", SPEEDS)
    assert projector.set("power", "on", 100) == EXECUTING
    assert [value(projector, "power", now) for now in (100, 119.9, 120)] == ["warming", "warming", "on"]
    assert projector.next_change(121) is None
    assert projector.set("power", "off", 200) == EXECUTING
    assert projector.next_change(200) == 210
    assert [value(projector, "power", now) for now in (209.9, 210)] == ["cooling", "off"]


def test_projector_is_busy_while_it_warms_up_or_cools_down() -> None:
    projector = Projector("S1", SPEEDS)
    assert projector.set("av_source", "HDMI 1", 0) == Taken(Stage.FAILED, "off")
    projector.set("power", "on", 0)
    assert projector.set("av_source", "HDMI 1", 5) == Taken(Stage.FAILED, "busy", 15)
    assert projector.set("power", "off", 5) == Taken(Stage.FAILED, "busy", 15)
    assert projector.set("power", "on", 5) == EXECUTING
    assert projector.set("av_source", "HDMI 1", 20) == DONE
    assert projector.set("av_mute", True, 20) == DONE
    assert projector.set("power", "on", 20) == DONE
    assert projector.values(20) | {"consumable.lamp_hours": 0} == {
        "power": "on",
        "av_source": "HDMI 1",
        "av_mute": True,
        "consumable.lamp_hours": 0,
    }
    projector.set("power", "off", 30)
    assert projector.set("power", "on", 31) == Taken(Stage.FAILED, "busy", 9)


def test_lamp_hours_count_only_while_the_lamp_burns() -> None:
    projector = Projector("S1", SPEEDS)
    begin = value(projector, "consumable.lamp_hours", 0)
    assert isinstance(begin, float)
    projector.set("power", "on", 0)
    assert value(projector, "consumable.lamp_hours", 7200) == begin + 2
    projector.set("power", "off", 7200)
    assert value(projector, "consumable.lamp_hours", 36000) == begin + 2


def test_screen_travels_and_can_be_stopped_on_the_way() -> None:
    screen = Screen("S1", SPEEDS)
    assert screen.values(5) == {"cover": "open", "cover.position": 100}
    assert screen.set("cover", "closed", 5) == EXECUTING
    assert screen.values(6) == {"cover": "closing", "cover.position": 90}
    assert screen.next_change(6) == 7
    assert screen.set("cover", "stopped", 9) == DONE
    assert screen.values(60) == {"cover": "stopped", "cover.position": 60}
    assert screen.set("cover.position", 65, 60) == EXECUTING
    assert screen.next_change(60) == 60.5
    assert screen.values(60.5) == {"cover": "stopped", "cover.position": 65}
    screen.set("cover", "open", 61)
    assert screen.values(64.6) == {"cover": "open", "cover.position": 100}


def test_light_comes_on_at_a_level() -> None:
    light = Light("S1")
    light.set("power", "off", 0)
    assert light.values(0) == {"power": "off", "level": 100}
    assert light.set("level", 40, 0) == DONE
    assert light.values(0) == {"power": "on", "level": 40}


def test_camera_reports_a_preset_once_it_is_there() -> None:
    camera = Camera("S1", SPEEDS)
    assert camera.set("ptz.preset", "class", 10) == EXECUTING
    assert camera.values(11) == {"power": "on", "ptz.preset": "board", "ptz.moving": True}
    assert camera.values(12) == {"power": "on", "ptz.preset": "class", "ptz.moving": False}
    assert camera.set("ptz.preset", "class", 13) == DONE


def test_air_conditioner_cools_slowly_to_its_setpoint() -> None:
    ac = AirConditioner("S1", SPEEDS)
    begin = value(ac, "temperature", 100)
    ac.set("climate.mode", "cool", 100)
    ac.set("climate.setpoint", 24, 100)
    course = [float(value(ac, "temperature", 100 + minutes * 60)) for minutes in (1, 5, 20, 60)]
    assert course == sorted(course, reverse=True)
    assert course[0] > 29
    assert course[-1] == pytest.approx(24, abs=0.2)
    ac.set("climate.mode", "off", 3700)
    assert 24 < float(value(ac, "temperature", 4300)) < float(begin)


def test_air_drifts_slowly_within_what_is_plausible() -> None:
    sensor = AirSensor("S1", SPEEDS)
    course = [float(sensor.values(now)["co2"]) for now in range(0, 4 * 3600, 15)]
    assert min(course) > 380
    assert max(course) < 1500
    assert max(course) - min(course) > 200
    assert max(abs(b - a) for a, b in itertools.pairwise(course)) < 30
    assert sensor.values(20000) == sensor.values(20001)  # between two measurements nothing changes


def test_people_come_and_go() -> None:
    sensor = OccupancySensor("S1", SPEEDS)
    course = [sensor.values(now)["occupancy"] for now in range(0, 8 * 3600, 15)]
    changes = sum(a != b for a, b in itertools.pairwise(course))
    assert 10 < changes < 200
    assert course.count(True) > course.count(False)
