"""What a simulated device does, without any wire: values over time, and how it takes orders. Pure; time comes in.

All times are seconds of one monotonic clock, given by the caller.
"""

from dataclasses import dataclass, field
from typing import Protocol

from devices.device import DeviceType, Property, Stage, Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Speeds:
    """How long things take. The defaults are a classroom's; tests take hundredths."""

    warm_up_s: float = 20.0
    cool_down_s: float = 10.0
    travel_s: float = 12.0  # a screen from end to end
    camera_move_s: float = 1.5
    sensor_interval_s: float = 15.0
    progress_s: float = 0.5  # how often a moving part says where it is
    slow_s: float = 6.0  # how late a slow device starts on an order
    birth_spread_s: float = 2.0  # announcing anew is spread over this long, as real devices must


@dataclass(frozen=True, slots=True, kw_only=True)
class Blueprint:
    """What is printed on the device and how it describes itself."""

    slug: str  # its part of the topic
    name: str
    type: DeviceType
    manufacturer: str
    model: str
    serial: str
    firmware: str = "1.0"
    properties: tuple[Property, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Taken:
    """How a device takes an order."""

    stage: Stage  # DONE; EXECUTING: it takes its time; FAILED
    code: str = ""
    retry_after_s: float | None = None


DONE = Taken(Stage.DONE)
EXECUTING = Taken(Stage.EXECUTING)


class Machine(Protocol):
    """One simulated device."""

    blueprint: Blueprint

    def values(self, now: float) -> dict[str, Value]:
        """All its values at `now`, which never goes back."""

    def set(self, name: str, value: Value, now: float) -> Taken:
        """An order: `name` is one of the settable properties, `value` is what that property takes."""

    def next_change(self, now: float) -> float | None:
        """When its values will next be different without an order; None: never."""
