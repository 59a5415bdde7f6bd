"""Words for how far something is switched on, as devices say them."""

from collections.abc import Iterable

from devices.dialects.homeassistant.entity import slug_of

WORDS = {
    "off": "off",
    "power_off": "off",
    "on": "on",
    "power_on": "on",
    "lamp_on": "on",
    "standby": "standby",
    "stand_by": "standby",
    "warming": "warming",
    "warming_up": "warming",
    "warm_up": "warming",
    "warmup": "warming",
    "cooling": "cooling",
    "cooling_down": "cooling",
    "cool_down": "cooling",
    "cooldown": "cooling",
}

STATE_NAMES = ("power_state", "power_status", "projector_state", "projector_status")


def power_word(text: str) -> str | None:
    """`off`, `on`, `standby`, `warming` or `cooling`; None for any other text."""
    return WORDS.get(slug_of(text))


def named_for_power(slug: str, device_class: str) -> bool:
    """Whether a sensor may say how far its device is switched on: it is named like `power_state`, as is a UPS's."""
    return device_class in ("", "enum") and slug.endswith(STATE_NAMES)


def tells_power(slug: str, device_class: str, options: Iterable[str]) -> bool:
    """Whether a sensor says how far its device is switched on.

    All of its options are power words then, with `on` among them, and it is of the class `enum` or named for it.
    """
    words = [power_word(option) for option in options]
    meant = device_class == "enum" or named_for_power(slug, device_class)
    return meant and "on" in words and None not in words
