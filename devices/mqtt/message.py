"""What goes over the broker: one message that came in, one that goes out. No I/O here."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(slots=True, kw_only=True)  # not frozen: made for every message, and a frozen one costs three times as much
class Message:
    """One PUBLISH from the broker. Not to be changed after it was made, but for `parsed`."""

    topic: str
    payload: bytes
    retained: bool  # replayed by the broker at subscribe: how old it is, is not known
    received: datetime  # aware, UTC
    parsed: object = field(default=None, compare=False, repr=False)
    """What a dialect has made of the payload, for the next driver that reads the same message."""


@dataclass(frozen=True, slots=True)
class Publish:
    """One PUBLISH to the broker. It cannot be retained: a command must never be replayed to a device that returns."""

    topic: str
    payload: bytes
    qos: int = 1
