"""Payloads and reports from public bug reports, one instance of each and siblings: what comes of them here.

Home Assistant gives the same result, unless it is said that it does not.
"""

import pytest

from devices.dialects.homeassistant.dialect import HomeAssistantDialect
from devices.driver import MqttDriver, Problem
from devices.errors import InvalidCommand
from tests.devices.dialects.homeassistant.wire import (
    BASE,
    announce,
    device_form,
    driver_of,
    forgotten,
    message,
    sent,
    values,
)

Config = dict[str, object]
SWITCH: Config = {"p": "switch", "cmd_t": "~/set", "stat_t": "~/st"}
COVER: Config = {"p": "cover", "cmd_t": "~/set", "stat_t": "~/st"}
LIGHT: Config = {"p": "light", "cmd_t": "~/set", "stat_t": "~/st", "bri_cmd_t": "~/bri/set", "bri_stat_t": "~/bri"}
JSON_LIGHT: Config = {"p": "light", "schema": "json", "cmd_t": "~/set", "stat_t": "~/st", "sup_clrm": ["color_temp"]}
AC: Config = {"p": "climate", "temp_cmd_t": "~/set", "temp_stat_t": "~/st"}
NUMBER: Config = {"p": "number", "name": "Tốc độ", "cmd_t": "~/set", "stat_t": "~/st"}
BUTTON: Config = {"p": "button", "name": "Tắt", "cmd_t": "~/set"}
TEXT: Config = {"p": "sensor", "name": "Ghi chú", "stat_t": "~/st"}
MOTION: Config = {"p": "binary_sensor", "stat_t": "~/st", "dev_cla": "motion"}
CODE = "JAb3x" * 90


def device(**components: Config) -> MqttDriver:
    return driver_of({key: {"uniq_id": key, "~": BASE, **each} for key, each in components.items()})


def refused(component: Config) -> str:
    """Why a component is refused."""
    payload = device_form({"a": {"uniq_id": "a", "~": BASE, **component}})
    [problem] = announce(HomeAssistantDialect(), "device/x", payload).problems
    return problem.detail


def sensor(device_class: str, unit: str) -> Config:
    return {"p": "sensor", "stat_t": "~/st", "dev_cla": device_class, "unit_of_meas": unit}


READ: dict[str, tuple[Config, list[tuple[str, object, dict[str, object]]]]] = {
    # what a message says -------------------------------------------------------------------------------------------
    "expire-zero": (sensor("power", "W") | {"exp_aft": 0}, [("st", "41.5", {"meter.power": 41.5})]),
    "expire as text": (sensor("power", "W") | {"exp_aft": "0"}, [("st", "1", {"meter.power": 1})]),
    "filter-truncate": (
        TEXT | {"val_tpl": "{{ value_json.note | default('',True) | string | truncate(255, True, '', 0) }}"},
        [
            ("st", {"note": "phòng trống"}, {"other.ghi_chu": "phòng trống"}),
            ("st", {"note": "a" * 300}, {"other.ghi_chu": "a" * 255}),
        ],
    ),
    "truncate at a word": (
        TEXT | {"val_tpl": "{{ value | truncate(12) }}"},
        [("st", "tiết học kết nối tri thức", {"other.ghi_chu": "tiết học..."})],
    ),
    "is-number": (
        sensor("temperature", "°C")
        | {"val_tpl": "{% if is_number(value) and -40 < value | float < 85 %}{{ value }}{% endif %}"},
        [("st", "26.5", {"temperature": 26.5}), ("st", "999", {}), ("st", "nan", {}), ("st", "n/a", {})],
    ),
    "is-number as a filter and a test": (
        TEXT | {"val_tpl": "{{ (value | is_number) ~ (value is is_number) }}"},
        [("st", "-4e2", {"other.ghi_chu": "TrueTrue"}), ("st", "inf", {"other.ghi_chu": "FalseFalse"})],
    ),
    "keys of an object": (
        TEXT | {"val_tpl": "{{ 'có' if 'lux' in value_json.keys() else 'không' }}"},
        [("st", {"lux": 1}, {"other.ghi_chu": "có"}), ("st", {"x": 1}, {"other.ghi_chu": "không"}), ("st", "[1", {})],
    ),
    "round-floor": (
        sensor("battery", "%") | {"val_tpl": "{{ (value_json.mv / 30) | round(0, 'floor') }}"},
        [("st", {"mv": 2905}, {"health.battery": 96})],
    ),
    "round-ceil": (
        sensor("battery", "%") | {"val_tpl": "{{ value_json.mv | multiply(0.125) | round(1, 'ceil') }}"},
        [("st", {"mv": 250}, {"health.battery": 31.3}), ("st", {"mv": 256}, {"health.battery": 32})],
    ),
    "round-half by name": (
        sensor("temperature", "°C") | {"val_tpl": "{{ value | round(method='half', precision=1) }}"},
        [("st", "21.3", {"temperature": 21.5})],
    ),
    "nan-in-shared-json": (
        sensor("carbon_dioxide", "ppm") | {"val_tpl": "{{ value_json.co2 }}"},
        [("st", '{"co2":812,"pm":nan}', {}), ("st", '{"co2":812,"pm":null}', {"co2": 812})],
    ),
    "else-branch-of-broken-json": (
        MOTION | {"val_tpl": "{% if value_json.seen %}ON{% else %}OFF{% endif %}"},
        [
            ("st", {"seen": True}, {"occupancy": True}),
            ("st", '{"seen":tru', {}),
            ("st", "offline", {}),
            ("st", "5", {}),
        ],
    ),
    "choice of a broken JSON": (
        SWITCH | {"val_tpl": "{{ 'ON' if value_json.relay.on else 'OFF' }}"},
        [("st", {"relay": {"on": True}}, {"power": "on"}), ("st", {"uptime": 5}, {}), ("st", {"relay": None}, {})],
    ),
    "comparison with a broken JSON": (
        COVER | {"val_tpl": "{{ 'closed' if value_json.p != 100 else 'open' }}"},
        [("st", {"p": 100}, {"cover": "open"}), ("st", '{"p": 100', {}), ("st", "", {})],
    ),
    "default beneath a missing part": (
        sensor("temperature", "°C") | {"val_tpl": "{{ value_json.air.t | float(0) }}"},
        [("st", {"air": {"t": 21}}, {"temperature": 21}), ("st", {"ram": 4711}, {}), ("st", {"air": {}}, {})],
    ),
    "kelvins of a kilo": (sensor("energy", "kJ"), [("st", "7200", {"meter.energy": 2})]),
    "flag-as-text": (
        JSON_LIGHT | {"brightness": "true", "clr_temp_k": "true", "min_k": "2700", "max_k": 6500},
        [
            (
                "st",
                {"state": "ON", "brightness": "255", "color_temp": 4000},
                {"power": "on", "level": 100, "color_temperature": 4000},
            )
        ],
    ),
    "flag as a number": (
        JSON_LIGHT | {"clr_temp_k": 1},
        [("st", {"state": "ON", "color_temp": 4000}, {"power": "on", "color_temperature": 4000})],
    ),
    "flag that says no": (
        JSON_LIGHT | {"clr_temp_k": "no"},
        [("st", {"color_temp": 250}, {"color_temperature": 4000})],
    ),
    "climate-limits-as-text": (
        AC | {"min_temp": "16", "max_temp": "30", "temp_step": "0.5"},
        [("st", "24", {"climate.setpoint": 24})],
    ),
    "limits of a number as text": (
        NUMBER | {"min": "0", "max": "2e1", "step": " 0.5 "},
        [("st", "12.5", {"other.toc_do": 12.5})],
    ),
    "scale and speeds as text": (
        {"p": "fan", "cmd_t": "~/set", "pct_cmd_t": "~/p/set", "pct_stat_t": "~/st", "spd_rng_max": "4"},
        [("st", "2", {"fan": 50})],
    ),
    # where a cover stands ------------------------------------------------------------------------------------------
    "cover-ends-at-98": (
        {"p": "cover", "cmd_t": "~/set", "pos_t": "~/pos"},
        [
            ("pos", "98", {"cover.position": 98, "cover": "open"}),
            ("pos", "3", {"cover.position": 3, "cover": "closed"}),
            ("pos", "50", {"cover.position": 50, "cover": "stopped"}),  # Home Assistant has no word for in between
            ("pos", '{"position": "96"}', {"cover.position": 96, "cover": "open"}),
        ],
    ),
    "cover ends in its own counting": (
        {"p": "cover", "cmd_t": "~/set", "pos_t": "~/pos", "pos_open": 0, "pos_clsd": 30},
        [
            ("pos", "1", {"cover.position": 97, "cover": "open"}),
            ("pos", "29", {"cover.position": 3, "cover": "closed"}),
        ],
    ),
    "cover-opening-then-stopped": (
        COVER,
        [
            ("st", "opening", {"cover": "opening"}),
            ("st", "stopped", {"cover": "open"}),
            ("st", "closing", {"cover": "closing"}),
            ("st", "stopped", {"cover": "closed"}),
        ],
    ),
    "cover says closed, and spuriously stopped": (
        COVER,
        [
            ("st", "closed", {"cover": "closed"}),
            ("st", "stopped", {"cover": "closed"}),
            ("st", "stopped", {"cover": "closed"}),
        ],
    ),
    "cover whose first word is stopped": (COVER, [("st", "stopped", {"cover": "stopped"})]),
    "cover with state and position on one topic, the stop word first": (
        COVER | {"val_tpl": "{{ value_json.state }}", "pos_t": "~/st", "pos_tpl": "{{ value_json.pos }}"},
        [
            ("st", {"state": "closed", "pos": 0}, {"cover": "closed", "cover.position": 0}),
            ("st", {"state": "opening", "pos": 12}, {"cover": "opening", "cover.position": 12}),
            ("st", {"state": "stopped", "pos": 99}, {"cover": "open", "cover.position": 99}),
            ("st", {"state": "closing", "pos": 60}, {"cover": "closing", "cover.position": 60}),
            ("st", {"state": "stopped", "pos": 40}, {"cover": "stopped", "cover.position": 40}),
        ],
    ),
    "cover that says where it is after it has stopped": (
        COVER | {"pos_t": "~/pos"},
        [
            ("pos", "0", {"cover": "closed", "cover.position": 0}),
            ("st", "opening", {"cover": "opening"}),
            ("st", "stopped", {"cover": "open"}),
            ("pos", "35", {"cover": "stopped", "cover.position": 35}),
            ("st", "open", {"cover": "open"}),
            ("pos", "60", {"cover.position": 60}),  # its own word counts while it is not that it stopped
        ],
    ),
    "brightness of 0 while on": (
        LIGHT,
        [("st", "ON", {"power": "on"}), ("bri", "0", {}), ("bri", "128", {"level": 50})],
    ),
}


@pytest.mark.parametrize("case", READ)
def test_what_is_read(case: str) -> None:
    config, said = READ[case]
    driver = device(a=config)
    assert [values(driver, topic, payload) for topic, payload, _ in said] == [each[2] for each in said]


UNITS = [
    *(
        ("energy", unit, 1000 * kwh)
        for unit, kwh in {"J": 1 / 3.6e6, "kJ": 1 / 3600, "MJ": 1 / 3.6, "GJ": 1e3 / 3.6}.items()
    ),
    *(
        ("energy", unit, 1000 * kwh)
        for unit, kwh in {"mWh": 1e-6, "Wh": 1e-3, "MWh": 1e3, "GWh": 1e6, "TWh": 1e9}.items()
    ),
    *(("energy", unit, 1162.2222 * size) for unit, size in {"kcal": 0.001, "Mcal": 1, "Gcal": 1000}.items()),
    *(("power", unit, 1000 * w) for unit, w in {"mW": 1e-3, "kW": 1e3, "MW": 1e6, "GW": 1e9, "TW": 1e12}.items()),
    *(("voltage", unit, 1000 * v) for unit, v in {"µV": 1e-6, "μV": 1e-6, "mV": 1e-3, "kV": 1e3, "MV": 1e6}.items()),
    *(("pm25", unit, 1000) for unit in ("µg/m³", "μg/m³")),
]


@pytest.mark.parametrize(("device_class", "unit", "expected"), UNITS)
def test_each_unit_of_a_class_becomes_ours(device_class: str, unit: str, expected: float) -> None:
    [value] = values(device(a=sensor(device_class, unit)), "st", "1000").values()
    assert value == pytest.approx(expected, rel=1e-3, abs=1e-6)


@pytest.mark.parametrize(
    ("device_class", "unit"), [("illuminance", "lux"), ("carbon_dioxide", "ppb"), ("temperature", "℃"), ("energy", "W")]
)
def test_unit_that_its_class_cannot_have_is_refused(device_class: str, unit: str) -> None:
    assert "is no unit of" in refused(sensor(device_class, unit))


SAID_UNKNOWN: dict[str, tuple[Config, list[tuple[str, object, set[str]]]]] = {
    "says-unknown": (SWITCH, [("st", "None", {"power"}), ("st", "unknown", {"power"}), ("st", "ERR", set())]),
    "null by template": (
        SWITCH | {"val_tpl": "{{ value_json.on }}"},
        [("st", {"on": None}, {"power"}), ("st", {}, set())],
    ),
    "its own word is no unknown": (
        SWITCH | {"stat_off": "unknown"},
        [("st", "unknown", set()), ("st", "None", {"power"})],
    ),
    "binary sensor": (MOTION, [("st", "None", {"occupancy"})]),
    "select": (
        {"p": "select", "name": "Input", "cmd_t": "~/set", "stat_t": "~/st", "ops": ["A"]},
        [("st", "None", {"av_source"})],
    ),
    "number": (NUMBER, [("st", "None", {"other.toc_do"}), ("st", "nan", {"other.toc_do"}), ("st", "offline", set())]),
    "sensor": (sensor("temperature", "°C"), [("st", "unavailable", {"temperature"}), ("st", "", set())]),
    "text": (TEXT, [("st", "None", {"other.ghi_chu"}), ("st", "", set())]),
    "light": (LIGHT, [("st", "None", {"power"}), ("bri", "None", {"level"})]),
    "JSON light": (
        JSON_LIGHT,
        [
            ("st", {"state": None, "brightness": 9}, {"power"}),
            ("st", {"brightness": None, "color_temp": None}, {"level", "color_temperature"}),
            ("st", {"state": "ON"}, set()),
        ],
    ),
    "cover": (COVER | {"pos_t": "~/pos"}, [("st", "None", {"cover"}), ("pos", "None", {"cover.position"})]),
    "cover with positions only": (
        {"p": "cover", "cmd_t": "~/set", "pos_t": "~/pos"},
        [("pos", "unknown", {"cover", "cover.position"})],
    ),
    "fan": ({"p": "fan", "cmd_t": "~/set", "pct_cmd_t": "~/p", "pct_stat_t": "~/st"}, [("st", "None", {"fan"})]),
    "climate": (AC, [("st", "None", {"climate.setpoint"})]),
    "power sensor": (
        {"p": "sensor", "stat_t": "~/st", "dev_cla": "enum", "ops": ["on", "standby"]},
        [("st", "unknown", {"power"}), ("st", "?", set())],
    ),
}


@pytest.mark.parametrize("case", SAID_UNKNOWN)
def test_device_that_says_it_does_not_know_is_believed(case: str) -> None:
    config, said = SAID_UNKNOWN[case]
    driver = device(a=config)
    assert [forgotten(driver, topic, payload) for topic, payload, _ in said] == [each[2] for each in said]


WRITTEN: dict[str, tuple[Config, list[tuple[str, object, list[tuple[str, str]]]]]] = {
    "power-operator": (
        NUMBER | {"cmd_tpl": "{{ (value | float * 10 ** 1) | int }}", "min": 0, "max": 20, "step": 0.5},
        [("other.toc_do", 7.5, [("set", "75")])],
    ),
    "power of a setpoint": (
        AC | {"temp_cmd_tpl": "{{ (value * 10 ** 2) | round }}"},
        [("climate.setpoint", 24, [("set", "2400")])],
    ),
    "long-ir-code": (BUTTON | {"pl_prs": CODE}, [("button.tat", "press", [("set", CODE)])]),
    "long code in a template": (
        BUTTON | {"pl_prs": "A" * 4000, "cmd_tpl": '{"ir":"{{ value }}","n":"{{ value }}"}'},
        [("button.tat", "press", [("set", '{"ir":"' + "A" * 4000 + '","n":"' + "A" * 4000 + '"}')])],
    ),
    "long codes of a switch": (
        SWITCH | {"pl_on": CODE, "pl_off": "x" + CODE},
        [("power", "off", [("set", "x" + CODE)])],
    ),
    "long code of a cover": (COVER | {"pl_open": CODE}, [("cover", "open", [("set", CODE)])]),
    "flag-as-text": (
        JSON_LIGHT | {"clr_temp_k": "true"},
        [("color_temperature", 3000, [("set", '{"state":"ON","color_temp":3000}')])],
    ),
    "flag that says no": (
        JSON_LIGHT | {"clr_temp_k": "off"},
        [("color_temperature", 4000, [("set", '{"state":"ON","color_temp":250}')])],
    ),
    "on-by-brightness": (
        LIGHT | {"on_cmd_type": "brightness", "pl_off": "0"},
        [
            ("power", "on", [("bri/set", "255")]),
            ("power", "off", [("set", "0")]),
            ("level", 40, [("bri/set", "102")]),
        ],
    ),
    "on by brightness in its own scale, with a colour": (
        LIGHT | {"on_cmd_type": "brightness", "bri_scl": 99, "clr_temp_cmd_t": "~/ct/set"},
        [
            ("power", "on", [("bri/set", "99")]),
            ("color_temperature", 4000, [("ct/set", "250"), ("bri/set", "99")]),
        ],
    ),
    "on by brightness without one": (
        {"p": "light", "cmd_t": "~/set", "on_cmd_type": "brightness"},
        [("power", "on", [("set", "ON")])],
    ),
    "names of a position": (
        COVER
        | {"set_pos_t": "~/pos/set", "set_pos_tpl": "{{ position }}/{{ value }}/{{ position_open }}/{{ tilt_max }}"},
        [("cover.position", 40, [("pos/set", "40/40/100/100")])],
    ),
    "template that asks for a name": (
        BUTTON | {"cmd_tpl": "{{ entity_id if entity_id is defined else 'x' }}-{{ value }}"},
        [("button.tat", "press", [("set", "x-PRESS")])],
    ),
    "number beyond the last step": (NUMBER | {"min": 0, "max": 11, "step": 4}, [("other.toc_do", 11, [("set", "8")])]),
}


@pytest.mark.parametrize("case", WRITTEN)
def test_what_is_sent(case: str) -> None:
    config, asked = WRITTEN[case]
    driver = device(a=config)
    for name, value, wire in asked:
        assert isinstance(value, str | int | float)
        assert sent(driver, name, value) == wire


def test_light_that_is_switched_on_by_its_brightness_gets_the_last_one() -> None:
    driver = device(a=LIGHT | {"on_cmd_type": "brightness"})
    assert values(driver, "bri", "102") == {"level": 40}
    assert values(driver, "bri", "0") == {}
    assert sent(driver, "power", "on") == [("bri/set", "102")]


@pytest.mark.parametrize(("missing", "left"), [
    ({"payload_stop": None}, ("open", "closed")),
    ({"pl_open": None, "pl_cls": None}, ("stopped",)),
    ({"pl_open": None, "pl_cls": None, "pl_stop": None}, ()),
])  # fmt: skip
def test_button_that_a_cover_does_not_have_is_not_offered(missing: Config, left: tuple[str, ...]) -> None:
    driver = device(a=COVER | missing)
    [cover] = driver.device.properties
    assert (cover.options, cover.settable) == (left, bool(left))
    for word in {"open", "closed", "stopped"} - set(left):
        with pytest.raises(InvalidCommand):
            cover.checked(word)
    assert values(driver, "st", "closed") == {"cover": "closed"}


REFUSED: list[tuple[Config, str]] = [
    (BUTTON | {"cmd_tpl": '{"by":"{{ entity_id }}"}'}, "the name 'entity_id' is not known here"),
    (SWITCH | {"cmd_tpl": "{{ this.state }}"}, "the name 'this' is not known here"),
    (NUMBER | {"cmd_tpl": "{{ value_json.x }}"}, "the name 'value_json' is not known here"),
    (AC | {"temp_cmd_tpl": "{{ temperature }}"}, "the name 'temperature' is not known here"),
    (TEXT | {"val_tpl": "{{ vlaue }}"}, "the name 'vlaue' is not known here"),
    (TEXT | {"val_tpl": "{{ value | round(1, 'up') }}"}, "round: its method is not one of"),
    (TEXT | {"val_tpl": "{{ value | multiply }}"}, "with arguments that are not followed"),
    (BUTTON | {"pl_prs": "x" * 4097}, "longer than 4096 characters"),
    (BUTTON | {"name": "x" * 256}, "longer than 255 characters"),
    (sensor("power", "W") | {"exp_aft": -1}, "expire_after: is below 0"),
    (sensor("power", "W") | {"exp_aft": "soon"}, "expire_after: is not a number"),
    (AC | {"min_temp": "warm"}, "min_temp: is not a number"),
    (AC | {"min_temp": "nan"}, "min_temp: is not a number"),
    (AC | {"min_temp": True}, "min_temp: is not a number"),
    (JSON_LIGHT | {"clr_temp_k": "maybe"}, "color_temp_kelvin: is neither true nor false"),
]


@pytest.mark.parametrize(("config", "why"), REFUSED)
def test_what_could_never_work_is_refused_when_it_is_announced(config: Config, why: str) -> None:
    assert why in refused(config)


def test_payload_that_is_not_the_json_that_is_read_is_a_problem_of_its_topic() -> None:
    air = device(a=sensor("carbon_dioxide", "ppm") | {"val_tpl": "{{ value_json.co2 | int }}"}, light=JSON_LIGHT)
    for payload in ('{"co2":812,"pm":nan}', "offline", b"\xff\xfe"):
        problems = [each for each in air.read(message(f"{BASE}/st", payload)) if isinstance(each, Problem)]
        assert [(each.topic, each.code) for each in problems] == [(f"{BASE}/st", "invalid_payload")]
    for payload in ('{"co2":812}', "", "[]"):
        assert not [each for each in air.read(message(f"{BASE}/st", payload)) if isinstance(each, Problem)]


UPS: Config = {"p": "sensor", "name": "Mains power status", "stat_t": "~/mains"}


@pytest.mark.parametrize("config", [
    UPS,
    UPS | {"dev_cla": "enum"},
    UPS | {"dev_cla": "enum", "ops": ["OL", "OB DISCHRG"]},
    UPS | {"name": "Projector state"},
])  # fmt: skip
def test_sensor_that_only_sounds_like_power_leaves_the_switch_its_reports(config: Config) -> None:
    driver = device(outlet=SWITCH | {"name": "Outlet"}, p=config)
    own = next(str(each.name) for each in driver.device.properties if each.name != "power")
    assert values(driver, "st", "ON") == {"power": "on"}
    assert values(driver, "mains", "OB DISCHRG") == {own: "OB DISCHRG"}
    assert values(driver, "st", "OFF") == {"power": "off"}
    assert forgotten(driver, "mains", "None") == {own}


def test_sensor_that_says_power_words_is_the_switchs_reported_side_from_then_on() -> None:
    driver = device(outlet=SWITCH, p={"p": "sensor", "name": "Power state", "stat_t": "~/ps"})
    assert values(driver, "st", "ON") == {"power": "on"}
    assert values(driver, "ps", "Warming up") == {"other.power_state": "Warming up", "power": "warming"}
    assert values(driver, "st", "ON") == {}  # it says so long before the lamp is
    assert values(driver, "ps", "standby") == {"other.power_state": "standby", "power": "off"}
    assert values(driver, "ps", "fan error") == {"other.power_state": "fan error"}


def test_a_power_sensor_alone_keeps_its_words() -> None:
    driver = device(p=UPS)
    assert values(driver, "mains", "on") == {"other.mains_power_status": "on"}
