"""Devices that announce themselves in Home Assistant's device form, as many on the market do."""

import json
from collections.abc import Callable, Mapping

from demo.simulated.machine import Blueprint, Taken
from demo.simulated.voice import Place, checked, dumps
from devices.device import Value
from devices.dialects.native_device import Order
from devices.errors import InvalidCommand
from devices.mqtt.message import Message, Publish

Components = dict[str, dict[str, object]]
Render = Callable[[Mapping[str, Value]], dict[str, Value]]
"""The content of the state message."""

Parse = Callable[[str], Mapping[str, object]]
"""A command's payload to the properties it sets. Raises `ValueError`."""


class HomeAssistantVoice:
    """State is one JSON object of all values on `<base>/state`; each component reads its part by template."""

    def __init__(
        self, place: Place, blueprint: Blueprint, components: Components, render: Render, parse: Mapping[str, Parse]
    ) -> None:
        """`parse`: by the last part of the command topic, `<base>/set/<part>`."""
        self.birth_topic = f"sc/1/{place.school}/ha/status"
        self.topics = tuple(f"{place.base}/set/{part}" for part in parse)
        self._place = place
        self._blueprint = blueprint
        self._components = components
        self._render = render
        self._parse = dict(parse)

    def connected(self, boot: int) -> None:
        pass

    @property
    def will(self) -> Publish:
        return Publish(f"{self._place.base}/status", b"offline")

    @property
    def online(self) -> Publish:
        return Publish(f"{self._place.base}/status", b"online")

    @property
    def announcement(self) -> Publish:
        blueprint, place = self._blueprint, self._place
        components = {
            key: {"uniq_id": f"{blueprint.serial}_{key}", "~": place.base, **component}
            for key, component in self._components.items()
        }
        config = {
            "dev": {
                "ids": [blueprint.serial],
                "name": blueprint.name,
                "mf": blueprint.manufacturer,
                "mdl": blueprint.model,
                "sn": blueprint.serial,
                "sw": blueprint.firmware,
                "sa": place.room,
            },
            "o": {"name": "simulated", "sw": blueprint.firmware},
            "~": place.base,
            "avty_t": "~/status",
            "stat_t": "~/state",
            "cmps": components,
        }
        return Publish(f"sc/1/{place.school}/ha/device/{place.room}-{place.slug}/config", dumps(config))

    def state(self, values: dict[str, Value]) -> tuple[Publish, ...]:
        return (Publish(f"{self._place.base}/state", dumps(self._render(values))),)

    def garbage(self) -> Publish:
        return Publish(f"{self._place.base}/state", b'\xff\xfe{"brightness":')

    def orders(self, message: Message) -> tuple[Order, ...]:
        parse = self._parse.get(message.topic.rpartition("/")[2])
        if parse is None or message.retained:
            return ()
        try:
            asked = [(name, checked(self._blueprint, name, value)) for name, value in parse(_text(message)).items()]
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError, InvalidCommand):
            return ()
        return tuple(Order(name, value) for name, value in asked if value is not None)

    def answer(self, order: Order, taken: Taken) -> tuple[Publish, ...]:
        return ()  # the convention has no answers


def _text(message: Message) -> str:
    return message.payload.decode()


def _plain(values: Mapping[str, Value]) -> dict[str, Value]:
    return {name.replace(".", "_"): value for name, value in values.items()}


def light(place: Place, blueprint: Blueprint) -> HomeAssistantVoice:
    components: Components = {
        "light": {"p": "light", "schema": "json", "cmd_t": "~/set/light", "brightness": True, "name": None}
    }

    def render(values: Mapping[str, Value]) -> dict[str, Value]:
        return {
            "state": "ON" if values["power"] == "on" else "OFF",
            "brightness": round(float(values["level"]) * 2.55),
        }

    def parse(text: str) -> Mapping[str, object]:
        asked = json.loads(text)
        if asked["state"] == "OFF":
            return {"power": "off"}
        return {"level": max(1, round(asked["brightness"] / 2.55))} if "brightness" in asked else {"power": "on"}

    return HomeAssistantVoice(place, blueprint, components, render, {"light": parse})


def air_conditioner(place: Place, blueprint: Blueprint) -> HomeAssistantVoice:
    options = {each.name: list(each.options) for each in blueprint.properties}
    ac: dict[str, object] = {"p": "climate", "name": None, "min_temp": 16, "max_temp": 30, "temp_step": 1}
    for short, part, key in (
        ("mode", "mode", "climate_mode"),
        ("temp", "temperature", "climate_setpoint"),
        ("fan_mode", "fan", "climate_fan"),
    ):
        ac[f"{short}_cmd_t"] = f"~/set/{part}"
        ac[f"{short}_stat_t"] = "~/state"
        ac[f"{short}_stat_tpl"] = f"{{{{ value_json.{key} }}}}"
    ac |= {
        "modes": [option for name, each in options.items() if name == "climate.mode" for option in each],
        "fan_modes": [option for name, each in options.items() if name == "climate.fan" for option in each],
        "curr_temp_t": "~/state",
        "curr_temp_tpl": "{{ value_json.temperature }}",
    }
    parse: dict[str, Parse] = {
        "mode": lambda text: {"climate.mode": text},
        "temperature": lambda text: {"climate.setpoint": float(text)},
        "fan": lambda text: {"climate.fan": text},
    }
    return HomeAssistantVoice(place, blueprint, {"ac": ac}, _plain, parse)


def sensors(place: Place, blueprint: Blueprint) -> HomeAssistantVoice:
    classes = {
        "co2": ("sensor", "carbon_dioxide", "ppm"),
        "temperature": ("sensor", "temperature", "°C"),
        "humidity": ("sensor", "humidity", "%"),
        "occupancy": ("binary_sensor", "occupancy", None),
    }
    components: Components = {}
    for each in blueprint.properties:
        platform, device_class, unit = classes[each.name]
        component: dict[str, object] = {"p": platform, "dev_cla": device_class}
        if unit is not None:
            component |= {"unit_of_meas": unit, "stat_cla": "measurement"}
            component["val_tpl"] = f"{{{{ value_json.{each.name} }}}}"
        else:
            component["val_tpl"] = f"{{{{ 'ON' if value_json.{each.name} else 'OFF' }}}}"
        components[each.name] = component
    return HomeAssistantVoice(place, blueprint, components, _plain, {})
