"""The echo of a command is the command's value, whatever scale a device counts in."""

import pytest

from devices.commands import equal, same
from devices.device import Property, PropertyName
from devices.driver import MqttDriver
from devices.scale import Scale
from tests.devices.dialects.homeassistant.wire import BASE, driver_of, sent, values

PERCENTS = range(1, 101)


def _driver(component: dict[str, object]) -> MqttDriver:
    return driver_of({"a": {"uniq_id": "a", "~": BASE, "cmd_t": "~/set", **component}})


def _property(driver: MqttDriver, name: str) -> Property:
    return driver.device.property(PropertyName(name))


def _told(driver: MqttDriver, name: str, value: float, topic: str) -> str:
    """What a command puts on its topic."""
    return dict(sent(driver, name, value))[topic]


@pytest.mark.parametrize("scale", range(1, 256))
def test_every_level_of_every_dimmer_is_confirmed_by_its_echo(scale: int) -> None:
    light = _driver({"p": "light", "bri_cmd_t": "~/bri/set", "bri_stat_t": "~/bri", "bri_scl": scale})
    level = _property(light, "level")
    for percent in PERCENTS:
        echo = _told(light, "level", percent, "bri/set")
        reported = values(light, "bri", echo)["level"]
        assert same(level, percent, reported)
        assert equal(level, percent, reported)
        if reported != percent:  # and only that: two counts further is another level
            other = values(light, "bri", str(int(echo) + 2)).get("level", 0)
            assert int(echo) + 2 > scale or not equal(level, percent, other)


@pytest.mark.parametrize("speeds", [*range(2, 102), 255])
def test_every_speed_of_every_fan_is_confirmed_by_its_echo(speeds: int) -> None:
    fan = _driver({"p": "fan", "pct_cmd_t": "~/pct/set", "pct_stat_t": "~/pct", "spd_rng_max": speeds})
    for percent in range(101):
        echo = _told(fan, "fan", percent, "pct/set")
        assert equal(_property(fan, "fan"), percent, values(fan, "pct", echo)["fan"])


@pytest.mark.parametrize(("closed", "open"), [(0, 100), (100, 0), (0, 30), (7, -3), (0, 1), (255, 0), (0, 1000)])
def test_every_position_of_every_cover_is_confirmed_by_its_echo(closed: int, open: int) -> None:
    component = {"p": "cover", "set_pos_t": "~/p/set", "pos_t": "~/p", "pos_clsd": closed, "pos_open": open}
    cover = _driver(component)
    for percent in range(101):
        echo = _told(cover, "cover.position", percent, "p/set")
        assert equal(_property(cover, "cover.position"), percent, values(cover, "p", echo)["cover.position"])


@pytest.mark.parametrize(
    ("low", "high", "step"), [(0, 20, 1), (1, 100, 1), (0, 11, 4), (-5, 5, 0.1), (0, 255, 1), (3, 4, 1)]
)
def test_every_volume_is_confirmed_by_its_echo(low: float, high: float, step: float) -> None:
    number = {"p": "number", "name": "Volume", "stat_t": "~/st", "min": low, "max": high, "step": step}
    volume = _driver(number)
    for percent in range(101):
        echo = _told(volume, "audio_level", percent, "set")
        assert low <= float(echo) <= high
        assert equal(_property(volume, "audio_level"), percent, values(volume, "st", echo)["audio_level"])


@pytest.mark.parametrize("kelvin", [True, False])
def test_every_colour_temperature_is_confirmed_by_its_echo_and_by_the_nearest_mired(kelvin: bool) -> None:
    topics = {"clr_temp_cmd_t": "~/ct/set", "clr_temp_stat_t": "~/ct"}
    lamp = _driver({"p": "light", **topics, "clr_temp_k": kelvin, "min_k": 1800, "max_k": 12_000})
    temperature = _property(lamp, "color_temperature")
    for kelvins in range(1800, 12_001, 50):
        echo = _told(lamp, "color_temperature", kelvins, "ct/set")
        assert equal(temperature, kelvins, values(lamp, "ct", echo)["color_temperature"])
        assert equal(temperature, kelvins, round(1e6 / round(1e6 / kelvins)))
        assert not same(temperature, kelvins, kelvins + 200)


def test_what_is_reported_has_no_more_decimals_than_lead_back_to_the_count() -> None:
    assert [Scale(per_unit=2.55, least=1).value(count) for count in (27, 102, 153, 254, 255)] == [
        10.6,
        40,
        60,
        99.6,
        100,
    ]
    assert [Scale(per_unit=0.99, least=1).value(count) for count in (1, 50, 99)] == [1, 51, 100]
    assert [Scale(per_unit=0.03, up=True).value(count) for count in (0, 1, 2, 3)] == [0, 33, 66, 100]
    assert Scale(per_unit=2.55).value(127.25) == 49.902
    assert Scale(mired=True).value(370) == 2703


def test_a_step_away_is_another_value() -> None:
    light = _driver({"p": "light", "bri_cmd_t": "~/bri/set", "bri_stat_t": "~/bri", "bri_scl": 99})
    level = _property(light, "level")
    assert not equal(level, 50, values(light, "bri", "49")["level"])
    assert not same(level, 50, values(light, "bri", "52")["level"])
