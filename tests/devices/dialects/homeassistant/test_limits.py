"""What one announcement, and one message, may cost."""

import json

from devices.device import Report
from devices.dialects.homeassistant.dialect import HomeAssistantDialect
from devices.dialects.homeassistant.inventory import MAX_COMPONENTS
from devices.dialects.homeassistant.payload import MAX_WORK
from devices.dialects.homeassistant.preparing import AT_ONCE, MAX_CHARACTERS, MAX_TEMPLATES, templates_in
from devices.dialects.homeassistant.template import _outcome
from devices.driver import MqttDriver, Problem
from tests.devices.dialects.homeassistant.wire import BASE, SCHOOL, announce, device_form, driver_of, message

LOUDER = "{% set a = value|title %}" * 17 + "{{ a|length }}"


def sensors(count: int, template: str, topic: str = f"{BASE}/t") -> dict[str, object]:
    return {
        f"s{number}": {"p": "sensor", "unique_id": f"s{number}", "stat_t": topic, "val_tpl": template}
        for number in range(count)
    }


def test_the_work_of_all_templates_of_a_device_on_one_message_is_bounded_and_told() -> None:
    driver = driver_of(sensors(100, LOUDER))
    assert driver.readings(f"{BASE}/t") == 100
    [report] = driver.read(message(f"{BASE}/t", "a b"))
    assert isinstance(report, Report)
    assert len(report.values) == 100
    large = message(f"{BASE}/t", "lorem " * 1000)
    report, problem = driver.read(large)
    assert isinstance(report, Report)
    assert 0 < len(report.values) <= MAX_WORK // (17 * 6000)
    assert isinstance(problem, Problem)
    assert (problem.topic, problem.code) == (f"{BASE}/t", "too_much_work")
    assert driver.read(large) == (report, problem)  # the same each time, and the next device has its own


def test_a_template_with_too_much_work_of_its_own_leaves_the_others_theirs() -> None:
    louder = "{% set a = value|title %}" * 3 + "{{ a|length }}"  # 360,000 characters: less than a message may
    cmps = {"s0": sensors(1, louder)["s0"], "s1": sensors(2, "{{ value|length }}")["s1"]}
    report, problem = driver_of(cmps).read(message(f"{BASE}/t", "lorem " * 10_000))
    assert isinstance(report, Report)
    assert list(report.values.values()) == ["60000"]
    assert isinstance(problem, Problem)
    assert problem.code == "too_much_work"


def test_what_one_device_finds_unreadable_is_no_complaint_of_the_next() -> None:
    dialect = HomeAssistantDialect()
    drivers: list[MqttDriver] = []
    for key, template in {"j": "{{ value_json.a }}", "t": "{{ value }}"}.items():
        sensor = {**device_of(0), "unique_id": key, "val_tpl": template}
        drivers += announce(dialect, f"device/{key}", device_form({key: sensor}, dev={"ids": [key]})).drivers
    heard = message(f"{BASE}/t", "no JSON")
    [problem] = drivers[0].read(heard)
    assert isinstance(problem, Problem)
    assert problem.code == "invalid_payload"
    [report] = drivers[1].read(heard)
    assert isinstance(report, Report)
    assert drivers[0].read(heard) == (problem,)


def test_long_templates_count_even_where_they_touch_nothing() -> None:
    driver = driver_of(sensors(150, "{% set a = 1 %}" * 100 + "{{ a }}"))
    report, problem = driver.read(message(f"{BASE}/t", "x"))
    assert isinstance(report, Report)
    assert 10 < len(report.values) < 150
    assert isinstance(problem, Problem)


def test_a_payload_is_parsed_once_for_all_devices_that_read_it() -> None:
    dialect = HomeAssistantDialect()
    drivers: list[MqttDriver] = []
    for number in range(3):
        cmps = {
            key: {**each, "unique_id": f"{number}{key}"}
            for key, each in sensors(5, "{{ value_json.a }}").items()
            if isinstance(each, dict)
        }
        payload = {"dev": {"ids": [f"d{number}"]}, "o": {"name": "test"}, "cmps": cmps}
        drivers += announce(dialect, f"device/d{number}", payload).drivers
    heard = message(f"{BASE}/t", {"a": 1})
    assert [len(driver.read(heard)) for driver in drivers[:1]] == [1]
    parsed = heard.parsed
    assert parsed is not None
    for driver in drivers:
        assert len(driver.read(heard)) == 1
        assert heard.parsed is parsed


def test_availability_sources_count_as_readings() -> None:
    sources = [{"t": f"{BASE}/bridge", "val_tpl": f"{{{{ value_json.s{n} }}}}"} for n in range(7)]
    driver = driver_of(sensors(2, "{{ value }}"), availability=sources)
    assert driver.readings(f"{BASE}/bridge") == 7
    assert driver.readings(f"{BASE}/t") == 2
    assert driver.readings(f"{BASE}/none") == 0


def test_an_announcement_with_too_many_templates_is_refused_in_words() -> None:
    long = device_form(sensors(1, "x") | {f"l{n}": sensors(1, f"{{{{ {n} }}}}" + "x" * 4000)["s0"] for n in range(17)})
    [problem] = announce(HomeAssistantDialect(), "device/thing", long).problems
    assert problem.code == "invalid_payload"
    assert problem.detail.startswith(f"17 templates of {17 * 4007 + 7} characters in all; at most {MAX_TEMPLATES}")
    many = device_form(sensors(1, "x"), availability=[{"t": "a", "val_tpl": f"{{{{ {n} }}}}"} for n in range(1001)])
    [problem] = announce(HomeAssistantDialect(), "device/thing", many).problems
    assert problem.detail.startswith("1001 templates")
    assert 16 * 4007 < MAX_CHARACTERS
    assert len(templates_in(device_form(sensors(200, "{{ value }}")))) == 1  # each text counts once


def test_templates_are_compiled_in_steps_before_the_announcement_is_read() -> None:
    templates = [f"{{% set a = {n} %}}" * 60 + "{{ a }}" for n in range(40)]
    cmps = {f"c{n}": {**device_of(n), "val_tpl": each} for n, each in enumerate(templates)}
    heard = message("sc/1/le-loi/ha/device/thing/config", device_form(cmps))
    _outcome.cache_clear()
    steps, compiled = 0, [0]
    for _ in HomeAssistantDialect().prepare(heard):
        steps += 1
        compiled.append(_outcome.cache_info().misses)
    assert steps >= sum(map(len, templates)) // AT_ONCE // 2
    assert max(b - a for a, b in zip(compiled, compiled[1:], strict=False)) * len(templates[-1]) <= 2 * AT_ONCE
    before = _outcome.cache_info().misses
    [driver] = HomeAssistantDialect().discover(SCHOOL, heard).drivers
    assert len(driver.device.properties) == 40
    assert _outcome.cache_info().misses == before


def device_of(number: int) -> dict[str, object]:
    return {"p": "sensor", "unique_id": f"s{number}", "stat_t": f"{BASE}/t"}


def test_preparing_says_nothing_of_what_is_wrong() -> None:
    for payload in (b"\xff" * 5000, b"[" * 5000, json.dumps({"a": "{% for %}" * 300}).encode()):
        steps = list(HomeAssistantDialect().prepare(message("sc/1/le-loi/ha/device/thing/config", payload)))
        assert len(steps) <= 1


def test_a_device_of_many_topics_has_so_many_components_and_no_more() -> None:
    dialect = HomeAssistantDialect()

    def component(number: int) -> dict[str, object]:
        return {"uniq_id": f"u{number}", "stat_t": f"{BASE}/t", "dev": {"ids": ["one"]}, "name": f"n{number}"}

    for number in range(MAX_COMPONENTS):
        assert announce(dialect, f"sensor/c{number}", component(number)).problems == ()
    [problem] = announce(dialect, "sensor/more", component(MAX_COMPONENTS)).problems
    assert problem.detail == f"the device has more than {MAX_COMPONENTS} components"
    changed = component(7) | {"name": "renamed"}
    [driver] = announce(dialect, "sensor/c7", changed).drivers  # what it has may change
    assert len(driver.device.properties) == MAX_COMPONENTS
