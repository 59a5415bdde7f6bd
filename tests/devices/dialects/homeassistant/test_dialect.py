"""Discovery as a whole: which devices, which problems. Golden forms from ref/devices.md 2.1 and 2.10."""

from dataclasses import replace

from devices.device import Availability, Device, DeviceType, Kind, Namespace, Property, PropertyName, Report, device_id
from devices.device import Capability as C
from devices.dialects.base import Discovery
from devices.dialects.homeassistant.dialect import HomeAssistantDialect
from devices.driver import Problem
from devices.mqtt.message import Publish
from tests.devices.dialects.homeassistant.wire import (
    BASE,
    NOW,
    SCHOOL,
    announce,
    device_form,
    driver_of,
    message,
    sent,
    values,
)

PROJECTOR = {
    "dev": {
        "ids": ["AA11BB22"],
        "cns": [["mac", "02:00:00:00:00:22"]],
        "name": "Máy chiếu",
        "mf": "Epson",
        "mdl": "EB-X06",
        "sn": "X1",
        "sw": "1.2",
        "sa": "Phòng 12",
    },
    "o": {"name": "pjlink2mqtt", "sw": "0.3", "url": "https://example.org"},
    "~": BASE,
    "avty_t": "~/status",
    "stat_t": "~/state",
    "cmps": {
        "pwr": {
            "p": "switch",
            "uniq_id": "AA11BB22_pwr",
            "cmd_t": f"{BASE}/power/set",
            "val_tpl": "{{ value_json.power }}",
        },
        "src": {
            "p": "select",
            "uniq_id": "AA11BB22_src",
            "ops": ["HDMI1", "HDMI2"],
            "cmd_t": f"{BASE}/source/set",
            "val_tpl": "{{ value_json.source }}",
        },
        "lamp": {
            "p": "sensor",
            "uniq_id": "AA11BB22_lamp",
            "dev_cla": "duration",
            "unit_of_meas": "h",
            "val_tpl": "{{ value_json.lamp_h }}",
        },
        "power_state": {
            "p": "sensor",
            "uniq_id": "AA11BB22_ps",
            "dev_cla": "enum",
            "ops": ["standby", "warming", "on", "cooling"],
            "val_tpl": "{{ value_json.power_state }}",
        },
    },
}

POWER = PropertyName("power")


def name_of(discovery: Discovery) -> list[tuple[str, list[str]]]:
    return [(each.device.name, [prop.name for prop in each.device.properties]) for each in discovery.drivers]


def codes(discovery: Discovery) -> list[str]:
    return [problem.code for problem in discovery.problems]


def test_projector_of_four_components_is_one_device() -> None:
    discovery = announce(HomeAssistantDialect(), "device/projector", PROJECTOR)
    assert discovery.problems == ()
    [driver] = discovery.drivers
    assert driver.device == Device(
        id=device_id(SCHOOL, "homeassistant", "AA11BB22"),
        namespace=SCHOOL,
        dialect="homeassistant",
        key="AA11BB22",
        name="Máy chiếu",
        type=DeviceType.PROJECTOR,
        manufacturer="Epson",
        model="EB-X06",
        serial="X1",
        firmware="1.2",
        suggested_room="Phòng 12",
        properties=(
            Property(name=PropertyName("consumable.lamp_hours"), capability=C.CONSUMABLE, kind=Kind.NUMBER, unit="h"),
            Property(name=POWER, capability=C.POWER, kind=Kind.ENUM, options=("on", "off"), settable=True),
            Property(
                name=PropertyName("av_source"),
                capability=C.AV_SOURCE,
                kind=Kind.ENUM,
                options=("HDMI1", "HDMI2"),
                settable=True,
            ),
        ),
    )
    assert driver.topics == (f"{BASE}/state", f"{BASE}/status")
    state = {"power": "ON", "power_state": "warming", "source": "HDMI2", "lamp_h": 812.5}
    assert driver.read(message(f"{BASE}/state", state)) == (
        Report(
            device_id=driver.device.id,
            values={
                PropertyName("consumable.lamp_hours"): 812.5,
                POWER: "warming",  # the sensor's word, not the switch's ON
                PropertyName("av_source"): "HDMI2",
            },
            received=NOW,
        ),
    )
    assert values(driver, "state", {"power": "ON"}) == {}  # the switch itself no longer reports
    assert values(driver, "state", {"power_state": "standby"}) == {"power": "off"}
    assert sent(driver, "power", "on") == [("power/set", "ON")]
    assert sent(driver, "av_source", "HDMI1") == [("source/set", "HDMI1")]


def test_component_form_with_one_identifier_is_one_device_in_any_order() -> None:
    device = {"identifiers": ["0x01"], "name": "Đèn", "manufacturer": "Ikea"}
    configs: list[tuple[str, dict[str, object]]] = [
        ("light/den", {"uniq_id": "1", "schema": "json", "brightness": True, "cmd_t": "~/set", "stat_t": "~"}),
        ("sensor/link", {"uniq_id": "2", "stat_t": "~", "val_tpl": "{{ value_json.link }}", "stat_cla": "measurement"}),
        ("binary_sensor/door", {"uniq_id": "3", "stat_t": "~/door", "dev_cla": "door"}),
    ]
    made = []
    for order in (configs, configs[::-1]):
        dialect = HomeAssistantDialect()
        for where, config in order:
            discovery = announce(dialect, where, config | {"~": BASE, "dev": device})
            assert discovery.problems == ()
        [driver] = discovery.drivers
        made.append(driver.device)
        assert values(driver, "", {}) == {}
    assert made[0] == made[1]
    assert made[0].type == "light"
    assert [each.name for each in made[0].properties] == ["power", "level", "other.link", "contact"]


def test_one_invalid_component_leaves_the_three_others() -> None:
    discovery = announce(
        HomeAssistantDialect(),
        "device/x",
        device_form(
            {
                "a": {"p": "switch", "uniq_id": "a", "cmd_t": f"{BASE}/a"},
                "b": {"p": "switch", "uniq_id": "b"},
                "c": {"p": "sensor", "uniq_id": "c", "stat_t": f"{BASE}/c", "dev_cla": "temperature"},
                "d": {"p": "button", "uniq_id": "d", "cmd_t": f"{BASE}/d"},
            }
        ),
    )
    assert name_of(discovery) == [("Thing", ["power", "temperature", "button.d"])]
    assert discovery.problems == (
        Problem(f"sc/1/{SCHOOL}/ha/device/x/config", "invalid_component", "component 'b': command_topic is missing"),
    )


def test_components_that_are_not_followed_are_said_to_be() -> None:
    components = {
        "s": {"p": "siren", "uniq_id": "s", "cmd_t": f"{BASE}/s"},
        "a": {"p": "switch", "uniq_id": "a", "cmd_t": f"{BASE}/a"},
        "n": 7,
        "m": {"p": "binary_sensor", "uniq_id": "m", "stat_t": f"{BASE}/m", "off_dly": 5},
    }
    discovery = announce(HomeAssistantDialect(), "device/x", device_form(components))
    assert codes(discovery) == ["unknown_component", "invalid_component", "option_ignored"]
    assert name_of(discovery) == [("Thing", ["power", "other.m"])]


def test_template_that_is_refused_refuses_its_component() -> None:
    components = {
        "t": {"p": "sensor", "uniq_id": "t", "stat_t": f"{BASE}/t", "val_tpl": "{{ 'a'*10**8 }}"},
        "u": {"p": "sensor", "uniq_id": "u", "stat_t": f"{BASE}/u", "val_tpl": "{{ value_json.update.state }}"},
    }
    discovery = announce(HomeAssistantDialect(), "device/x", device_form(components))
    assert codes(discovery) == ["invalid_component"]
    [driver] = discovery.drivers
    assert values(driver, "u", {"update": {"state": "idle"}}) == {"other.u": "idle"}
    assert values(driver, "u", {"other": 1}) == {}
    assert values(driver, "u", "not JSON") == {}


def test_the_same_unique_id_in_two_schools_is_two_devices() -> None:
    dialect = HomeAssistantDialect()
    ids = set()
    for school in (SCHOOL, Namespace("nguyen-du")):
        component = {"p": "switch", "uniq_id": "1", "cmd_t": f"sc/1/{school}/x"}
        discovery = announce(dialect, "device/x", device_form({"a": component}), school)
        assert discovery.problems == ()
        ids.add(discovery.drivers[0].device.id)
    assert len(ids) == 2


def test_the_same_unique_id_of_two_devices_in_a_school_is_a_collision() -> None:
    dialect = HomeAssistantDialect()
    component = {"p": "switch", "uniq_id": "1", "cmd_t": f"{BASE}/a"}
    first = announce(dialect, "device/x", device_form({"a": component}))
    second = announce(dialect, "device/y", device_form({"a": component}, dev={"ids": ["BB22"]}))
    assert (codes(first), name_of(first)) == ([], [("Thing", ["power"])])
    assert (codes(second), name_of(second)) == (["collision"], [])
    again = announce(dialect, "device/x", device_form({"a": component}))
    assert again.drivers == first.drivers  # the first keeps it

    announce(dialect, "device/x", b"")
    assert codes(announce(dialect, "device/y", device_form({"a": component}, dev={"ids": ["BB22"]}))) == []


def test_empty_payload_removes_the_device_and_only_it() -> None:
    dialect = HomeAssistantDialect()
    components = {"a": {"p": "switch", "uniq_id": "1", "cmd_t": f"{BASE}/a"}}
    id = announce(dialect, "device/x", device_form(components)).drivers[0].device.id
    assert announce(dialect, "device/y", b"") == Discovery()
    assert announce(dialect, "device/x", b"") == Discovery(removed=(id,))
    assert announce(dialect, "device/x", b"") == Discovery()
    assert announce(dialect, "device/x", device_form(components)).drivers[0].device.id == id


def test_removing_one_topic_of_a_component_form_leaves_the_rest() -> None:
    dialect = HomeAssistantDialect()
    device = {"ids": "x", "name": "X"}
    announce(dialect, "switch/a", {"uniq_id": "1", "cmd_t": f"{BASE}/a", "dev": device})
    announce(dialect, "button/b", {"uniq_id": "2", "cmd_t": f"{BASE}/b", "dev": device})
    assert name_of(announce(dialect, "button/b", "")) == [("X", ["power"])]
    assert len(announce(dialect, "switch/a", "").removed) == 1


def test_platform_only_entry_takes_back_a_component_and_omission_is_told() -> None:
    dialect = HomeAssistantDialect()
    components: dict[str, object] = {
        key: {"p": "switch", "uniq_id": key, "cmd_t": f"{BASE}/{key}"} for key in ("a", "b", "c")
    }
    announce(dialect, "device/x", device_form(components))
    update = announce(dialect, "device/x", device_form({"a": components["a"], "b": {"p": "switch"}}))
    assert name_of(update) == [("Thing", ["power"])]
    assert [problem.detail for problem in update.problems] == ["switch 'c' is no longer announced"]


def test_update_without_a_valid_component_leaves_the_device_as_it_was() -> None:
    dialect = HomeAssistantDialect()
    components = {"a": {"p": "switch", "uniq_id": "1", "cmd_t": f"{BASE}/a"}}
    first = announce(dialect, "device/x", device_form(components))
    assert codes(announce(dialect, "device/x", device_form({"a": {"p": "switch", "uniq_id": "1"}}))) == [
        "invalid_component"
    ]
    assert codes(announce(dialect, "device/x", "{")) == ["invalid_payload"]
    assert announce(dialect, "device/x", device_form(components)).drivers == first.drivers


def test_a_base_topic_stands_for_itself_at_the_ends_of_topics_only() -> None:
    component = {
        "p": "switch",
        "uniq_id": "1",
        "~": BASE,
        "cmd_t": "~/set",
        "stat_t": "~",
        "name": "~ left",
        "pl_on": "~",
    }
    inherits = {"p": "switch", "uniq_id": "2", "command_topic": "~/other", "cmd_t": "sc/1/nguyen-du/x"}
    driver = driver_of({"a": component, "power": inherits}, **{"~": f"{BASE}/root"})
    assert driver.topics == (BASE,)
    assert sent(driver, "power.left", "on") == [("set", "~")]
    assert sent(driver, "power", "on") == [
        ("root/other", "ON")
    ]  # where both forms of a key are given, the full one counts


def test_migration_from_component_form_to_device_form_keeps_the_device() -> None:
    dialect = HomeAssistantDialect()
    device = {"ids": ["AA11"], "name": "Thing"}
    before = announce(dialect, "switch/a", {"uniq_id": "1", "cmd_t": f"{BASE}/a", "dev": device})
    assert announce(dialect, "switch/a", {"migrate_discovery": True}) == Discovery()
    after = announce(dialect, "device/x", device_form({"a": {"p": "switch", "uniq_id": "1", "cmd_t": f"{BASE}/a2"}}))
    assert [each.device.id for each in after.drivers] == [each.device.id for each in before.drivers]
    assert (after.removed, after.problems) == ((), ())
    assert announce(dialect, "switch/a", b"") == Discovery()


def test_topics_of_others_are_refused() -> None:
    for topic in (
        "sc/1/nguyen-du/r/d/cmd",
        "sc/1/le-loi",
        "zigbee2mqtt/x",
        f"{BASE}/#",
        f"{BASE}/+/x",
        "$SYS/broker/uptime",
        f"{BASE}/\n",
        "sc/1/le-loi/ha/device/another/config",
        "",
    ):
        discovery = announce(
            HomeAssistantDialect(), "device/x", device_form({"a": {"p": "switch", "uniq_id": "1", "cmd_t": topic}})
        )
        assert (codes(discovery), discovery.drivers) == (["invalid_component"], ()), topic


def test_free_topics_and_a_plain_prefix_are_for_a_single_school() -> None:
    dialect = HomeAssistantDialect(prefix=lambda _: "homeassistant", free_topics=True)
    assert dialect.discovery_filters(SCHOOL) == ("homeassistant/+/+/config", "homeassistant/+/+/+/config")
    assert dialect.birth(SCHOOL) == (Publish("homeassistant/status", b"online"),)
    component = {"p": "switch", "uniq_id": "1", "cmd_t": "zigbee2mqtt/x/set", "stat_t": "$SYS/x"}
    config = message("homeassistant/device/node/x/config", device_form({"a": component}))
    assert codes(dialect.discover(SCHOOL, config)) == ["invalid_component"]
    component.pop("stat_t")
    config = message("homeassistant/device/node/x/config", device_form({"a": component}))
    assert codes(dialect.discover(SCHOOL, config)) == []


def test_oversized_and_foreign_messages_are_no_devices() -> None:
    dialect = HomeAssistantDialect()
    assert codes(announce(dialect, "device/x", b" " + b"[" * (256 * 1024))) == ["invalid_payload"]
    assert codes(announce(dialect, "device/x", b"[" * (255 * 1024))) == ["invalid_payload"]
    for topic in ("sc/1/other/ha/device/x/config", "sc/1/le-loi/ha/status", "sc/1/le-loi/ha/device/a/b/c/config"):
        assert dialect.discover(SCHOOL, message(topic, PROJECTOR)) == Discovery()


def test_availability_of_all_and_any_and_latest() -> None:
    def heard(mode: str, *said: tuple[str, str]) -> list[Availability | None]:
        topics = [{"t": "~/bridge"}, {"topic": f"{BASE}/own", "value_template": "{{ value_json.state }}"}]
        driver = driver_of(
            {"a": {"p": "switch", "uniq_id": "1", "cmd_t": f"{BASE}/a"}},
            **{"avty": topics, "avty_mode": mode, "~": BASE},
        )
        reports = [driver.read(message(f"{BASE}/{topic}", payload)) for topic, payload in said]
        return [each.availability for report in reports for each in report if isinstance(each, Report)]

    bridge, own = ("bridge", "online"), ("own", '{"state": "online"}')
    gone, odd = ("bridge", "offline"), ("own", "asleep")
    online, offline = Availability.ONLINE, Availability.OFFLINE
    assert heard("all", bridge, own, gone, odd) == [online, offline]  # nothing is said before all have spoken
    assert heard("any", gone, own, bridge) == [online, online]
    assert heard("latest", bridge, gone, own) == [online, offline, online]


def test_expiry_becomes_the_time_after_which_a_silent_device_is_stale() -> None:
    driver = driver_of({"t": {"p": "sensor", "uniq_id": "t", "stat_t": f"{BASE}/t", "exp_aft": 120}})
    assert driver.stale_after is not None
    assert driver.stale_after.total_seconds() == 120


def test_message_on_a_state_topic_is_a_sign_of_life_if_it_is_live_and_the_devices_own() -> None:
    components = {
        "a": {"p": "switch", "uniq_id": "1", "cmd_t": f"{BASE}/set", "stat_t": f"{BASE}/st", "avty_t": f"{BASE}/lwt"}
    }
    dialect = HomeAssistantDialect()
    [driver] = announce(dialect, "device/x", device_form(components)).drivers

    def reports(topic: str, payload: object, *, retained: bool = False) -> list[Report]:
        heard = replace(message(f"{BASE}/{topic}", payload), retained=retained)
        return [each for each in driver.read(heard) if isinstance(each, Report)]

    sign = Report(device_id=driver.device.id, received=NOW)
    for payload in ({"uptime": 5}, "booted", b"\xff\xfe{", "{", ""):
        assert reports("st", payload) == [sign]
        assert reports("st", payload, retained=True) == []  # how old it is, is not known
        assert reports("lwt", payload) == []  # may be the broker's
    other = device_form({"b": {"p": "sensor", "uniq_id": "2", "stat_t": f"{BASE}/st"}}, dev={"ids": ["B"]})
    announce(dialect, "device/y", other)
    assert reports("st", "booted") == []  # of which of the two?
    assert [each.values for each in reports("st", "ON")] == [{POWER: "on"}]
    announce(dialect, "device/y", b"")
    assert reports("st", "booted") == [sign]
