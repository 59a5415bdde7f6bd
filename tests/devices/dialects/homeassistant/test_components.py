"""Each component: wire in, canonical values out; canonical command in, wire out."""

import pytest

from devices.device import Value
from tests.devices.dialects.homeassistant.wire import BASE, driver_of, sent, values

Wire = list[tuple[str, object]]

# component, then (topic, payload, values), then (property, value, what is sent)
COMPONENTS: dict[
    str, tuple[dict[str, object], list[tuple[str, object, dict[str, Value]]], list[tuple[str, Value, Wire]]]
] = {
    "switch": (
        {
            "p": "switch",
            "cmd_t": "~/set",
            "stat_t": "~/st",
            "pl_on": True,
            "pl_off": False,
            "val_tpl": "{{ value_json.o }}",
        },
        [
            ("st", {"o": True}, {"power": "on"}),
            ("st", {"o": False}, {"power": "off"}),
            ("st", {"o": "None"}, {}),
            ("st", {"o": "Warming up"}, {"power": "warming"}),
        ],
        [("power", "on", [("set", "True")]), ("power", "off", [("set", "False")])],
    ),
    "mute switch": (
        {"p": "switch", "name": "AV mute", "cmd_t": "~/set", "stat_t": "~/st", "cmd_tpl": '{"mute":"{{ value }}"}'},
        [("st", "ON", {"av_mute": True}), ("st", "OFF", {"av_mute": False}), ("st", "on", {})],
        [("av_mute", True, [("set", '{"mute":"ON"}')])],
    ),
    "basic light": (
        {
            "p": "light",
            "cmd_t": "~/set",
            "stat_t": "~/st",
            "bri_cmd_t": "~/bri/set",
            "bri_stat_t": "~/bri",
            "bri_scl": 100,
            "clr_temp_cmd_t": "~/ct/set",
            "clr_temp_stat_t": "~/ct",
            "on_cmd_type": "first",
        },
        [("st", "ON", {"power": "on"}), ("bri", "40", {"level": 40}), ("ct", "250", {"color_temperature": 4000})],
        [
            ("power", "off", [("set", "OFF")]),
            ("level", 40, [("set", "ON"), ("bri/set", "40")]),
            ("color_temperature", 4000, [("set", "ON"), ("ct/set", "250")]),
        ],
    ),
    "json light": (
        {
            "p": "light",
            "schema": "json",
            "cmd_t": "~/set",
            "stat_t": "~/st",
            "brightness": True,
            "sup_clrm": ["color_temp"],
        },
        [
            (
                "st",
                {"state": "ON", "brightness": 153, "color_temp": 370},
                {"power": "on", "level": 60, "color_temperature": 2703},
            ),
            ("st", {"state": "OFF"}, {"power": "off"}),
            ("st", {"state": None, "brightness": True, "color_temp": 0}, {}),
            ("st", [1], {}),
        ],
        [
            ("power", "on", [("set", '{"state":"ON"}')]),
            ("level", 60, [("set", '{"state":"ON","brightness":153}')]),
            ("level", 1, [("set", '{"state":"ON","brightness":3}')]),
            ("color_temperature", 2703, [("set", '{"state":"ON","color_temp":370}')]),
        ],
    ),
    "sensor in another unit": (
        {"p": "sensor", "stat_t": "~/st", "dev_cla": "temperature", "unit_of_meas": "°F"},
        [("st", "77", {"temperature": 25}), ("st", "None", {}), ("st", "nan", {}), ("st", "", {})],
        [],
    ),
    "text sensor": (
        {"p": "sensor", "name": "Trạng thái", "stat_t": "~/st"},
        [("st", "tốt", {"other.trang_thai": "tốt"}), ("st", "None", {})],
        [],
    ),
    "binary sensor": (
        {"p": "binary_sensor", "stat_t": "~/st", "dev_cla": "motion", "pl_on": "1", "pl_off": "0"},
        [("st", "1", {"occupancy": True}), ("st", "0", {"occupancy": False}), ("st", "2", {})],
        [],
    ),
    "cover with states and positions": (
        {
            "p": "cover",
            "cmd_t": "~/set",
            "stat_t": "~/st",
            "pos_t": "~/pos",
            "set_pos_t": "~/pos/set",
            "pos_open": 0,
            "pos_clsd": 200,
            "stat_stopped": "stop",
        },
        [
            ("st", "closing", {"cover": "closing"}),
            ("pos", "150", {"cover.position": 25}),
            ("st", "stop", {"cover": "stopped"}),
            ("pos", '{"position": 200}', {"cover.position": 0, "cover": "closed"}),
        ],
        [
            ("cover", "closed", [("set", "CLOSE")]),
            ("cover", "stopped", [("set", "STOP")]),
            ("cover.position", 25, [("pos/set", "150")]),
        ],
    ),
    "cover with positions only": (
        {"p": "cover", "cmd_t": "~/set", "pos_t": "~/pos"},
        [
            ("pos", "100", {"cover.position": 100, "cover": "open"}),
            ("pos", "0", {"cover.position": 0, "cover": "closed"}),
            ("pos", "40", {"cover.position": 40, "cover": "stopped"}),
            ("pos", "x", {}),
        ],
        [("cover", "open", [("set", "OPEN")])],
    ),
    "source select": (
        {"p": "select", "name": "Nguồn", "cmd_t": "~/set", "stat_t": "~/st", "ops": ["HDMI 1", "VGA"]},
        [("st", "VGA", {"av_source": "VGA"}), ("st", "DVI", {})],
        [("av_source", "HDMI 1", [("set", "HDMI 1")])],
    ),
    "volume number": (
        {"p": "number", "name": "Volume", "cmd_t": "~/set", "stat_t": "~/st", "min": 0, "max": 20},
        [("st", "5", {"audio_level": 25}), ("st", "None", {})],
        [("audio_level", 25, [("set", "5")]), ("audio_level", 99, [("set", "20")])],
    ),
    "other number": (
        {"p": "number", "name": "Delay", "cmd_t": "~/set", "min": 0, "max": 1, "step": 0.1, "unit_of_meas": "s"},
        [],
        [("other.delay", 0.32, [("set", "0.3")])],
    ),
    "button": (
        {"p": "button", "name": "Identify", "cmd_t": "~/set"},
        [],
        [("button.identify", "press", [("set", "PRESS")])],
    ),
    "climate": (
        {
            "p": "climate",
            "mode_cmd_t": "~/mode/set",
            "mode_stat_t": "~/st",
            "mode_stat_tpl": "{{ value_json.m }}",
            "modes": ["off", "cool"],
            "temp_cmd_t": "~/temp/set",
            "temp_cmd_tpl": "{{ value | int }}",
            "temp_stat_t": "~/st",
            "temp_stat_tpl": "{{ value_json.t }}",
            "min_temp": 16,
            "max_temp": 30,
            "fan_mode_cmd_t": "~/fan/set",
            "fan_mode_stat_t": "~/st",
            "fan_mode_stat_tpl": "{{ value_json.f }}",
            "curr_temp_t": "~/now",
        },
        [
            (
                "st",
                {"m": "cool", "t": 24, "f": "low"},
                {"climate.mode": "cool", "climate.setpoint": 24, "climate.fan": "low"},
            ),
            ("st", {"m": "heat", "f": "low"}, {"climate.fan": "low"}),
            ("now", "27.5", {"temperature": 27.5}),
        ],
        [
            ("climate.mode", "cool", [("mode/set", "cool")]),
            ("climate.setpoint", 24, [("temp/set", "24")]),
            ("climate.fan", "auto", [("fan/set", "auto")]),
        ],
    ),
    "fan": (
        {
            "p": "fan",
            "cmd_t": "~/set",
            "stat_t": "~/st",
            "pct_cmd_t": "~/pct/set",
            "pct_stat_t": "~/pct",
            "spd_rng_max": 4,
            "osc_cmd_t": "~/osc/set",
            "pr_mode_cmd_t": "~/pr/set",
            "pr_modes": ["eco"],
        },
        [("st", "ON", {"power": "on"}), ("pct", "1", {"fan": 25}), ("pct", "0", {"fan": 0}), ("pct", "None", {})],
        [
            ("fan", 25, [("pct/set", "1")]),
            ("fan", 60, [("pct/set", "3")]),
            ("fan.oscillate", True, [("osc/set", "oscillate_on")]),
            ("fan.preset", "eco", [("pr/set", "eco")]),
        ],
    ),
}


@pytest.mark.parametrize("case", COMPONENTS)
def test_component(case: str) -> None:
    component, said, asked = COMPONENTS[case]
    driver = driver_of({"key": component | {"uniq_id": "u", "~": BASE}})
    assert [values(driver, topic, payload) for topic, payload, _ in said] == [each[2] for each in said]
    assert [sent(driver, name, value) for name, value, _ in asked] == [each[2] for each in asked]


TYPES: list[tuple[str, dict[str, object]]] = [
    ("switch", {"a": {"p": "switch", "cmd_t": "~/a"}}),
    ("smart_plug", {"a": {"p": "switch", "cmd_t": "~/a"}, "b": {"p": "sensor", "stat_t": "~", "dev_cla": "power"}}),
    ("projector", {"a": {"p": "switch", "cmd_t": "~/a"}, "input": {"p": "select", "cmd_t": "~/b", "ops": ["A"]}}),
    ("light", {"a": {"p": "light", "cmd_t": "~/a"}}),
    ("blind", {"a": {"p": "cover", "cmd_t": "~/a"}}),
    ("fan", {"a": {"p": "fan", "cmd_t": "~/a"}}),
    ("ac", {"a": {"p": "climate", "mode_cmd_t": "~/a"}}),
    ("ptz_camera", {"preset": {"p": "select", "cmd_t": "~/b", "ops": ["1"]}}),
    ("co2_sensor", {"a": {"p": "sensor", "stat_t": "~/a", "dev_cla": "carbon_dioxide"}}),
    ("occupancy_sensor", {"a": {"p": "binary_sensor", "stat_t": "~/a", "dev_cla": "presence"}}),
]


@pytest.mark.parametrize(("expected", "components"), TYPES)
def test_type_is_guessed_from_what_a_device_can_do(expected: str, components: dict[str, object]) -> None:
    full = {key: {**each, "uniq_id": key, "~": BASE} for key, each in components.items() if isinstance(each, dict)}
    assert driver_of(full).device.type == expected


def test_motor_screen_is_told_by_its_name() -> None:
    cover = {"a": {"p": "cover", "uniq_id": "a", "cmd_t": f"{BASE}/a"}}
    assert driver_of(cover, dev={"ids": ["s"], "name": "Màn chiếu điện"}).device.type == "motor_screen"


def test_several_switches_are_told_apart_by_their_names() -> None:
    driver = driver_of(
        {
            "l1": {"p": "switch", "uniq_id": "1", "name": "Left", "cmd_t": f"{BASE}/1"},
            "l2": {"p": "switch", "uniq_id": "2", "name": "Right", "cmd_t": f"{BASE}/2"},
            "l3": {"p": "switch", "uniq_id": "3", "name": "Power", "cmd_t": f"{BASE}/3"},
            "led": {"p": "switch", "uniq_id": "4", "name": "LED", "ent_cat": "config", "cmd_t": f"{BASE}/4"},
        }
    )
    assert [each.name for each in driver.device.properties] == ["power.left", "power.right", "power", "other.led"]
    assert sent(driver, "power", "on") == [("3", "ON")]
