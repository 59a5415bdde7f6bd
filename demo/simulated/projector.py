"""A projector with a lamp: it needs time to warm up and to cool down, and meanwhile refuses what real ones refuse."""

from demo.simulated.machine import DONE, EXECUTING, Blueprint, Speeds, Taken
from devices.device import Capability, DeviceType, Kind, Property, PropertyName, Stage, Value

INPUTS = ("HDMI 1", "HDMI 2", "VGA")

PROPERTIES = (
    Property(
        name=PropertyName("power"), capability=Capability.POWER, kind=Kind.ENUM, options=("on", "off"), settable=True
    ),
    Property(
        name=PropertyName("av_source"), capability=Capability.AV_SOURCE, kind=Kind.ENUM, options=INPUTS, settable=True
    ),
    Property(name=PropertyName("av_mute"), capability=Capability.AV_MUTE, kind=Kind.BOOL, settable=True),
    Property(name=PropertyName("consumable.lamp_hours"), capability=Capability.CONSUMABLE, kind=Kind.NUMBER, unit="h"),
)


class Projector:
    """off -> warming -> on -> cooling -> off."""

    def __init__(self, serial: str, speeds: Speeds) -> None:
        self.blueprint = Blueprint(
            slug="projector",
            name="Máy chiếu",
            type=DeviceType.PROJECTOR,
            manufacturer="Mô phỏng",
            model="SIM-P20",
            serial=serial,
            properties=PROPERTIES,
        )
        self._speeds = speeds
        self._power = "off"
        self._until: float | None = None  # the end of warming or cooling
        self._input = INPUTS[-1]
        self._muted = False
        self._lamp_hours = 812.0
        self._lamp_since: float | None = None

    def values(self, now: float) -> dict[str, Value]:
        self._advance(now)
        burning = now - self._lamp_since if self._lamp_since is not None else 0.0
        return {
            "power": self._power,
            "av_source": self._input,
            "av_mute": self._muted,
            "consumable.lamp_hours": round(self._lamp_hours + burning / 3600, 1),
        }

    def set(self, name: str, value: Value, now: float) -> Taken:
        """Busy while warming up or cooling down, except for what it is doing already."""
        self._advance(now)
        if name == "power" and value == {"warming": "on", "cooling": "off"}.get(self._power, self._power):
            return DONE if self._until is None else EXECUTING
        if self._until is not None:
            return Taken(Stage.FAILED, "busy", max(0.01, self._until - now))
        if name == "power":
            return self._switch(value == "on", now)
        if self._power != "on":
            return Taken(Stage.FAILED, "off")
        if name == "av_source":
            self._input = str(value)
        else:
            self._muted = value is True
        return DONE

    def next_change(self, now: float) -> float | None:
        return self._until

    def _switch(self, on: bool, now: float) -> Taken:
        if on:
            self._power, self._until, self._lamp_since = "warming", now + self._speeds.warm_up_s, now
        else:
            self._power, self._until, self._muted = "cooling", now + self._speeds.cool_down_s, False
            self._lamp_hours += (now - self._lamp_since) / 3600 if self._lamp_since is not None else 0.0
            self._lamp_since = None
        return EXECUTING

    def _advance(self, now: float) -> None:
        if self._until is not None and now >= self._until:
            self._power, self._until = ("on" if self._power == "warming" else "off"), None
