"""Reads and writes one device that was discovered in Home Assistant's form."""

from collections.abc import Iterable
from datetime import timedelta
from itertools import groupby

from devices.device import Command, Device, PropertyName, Report, Value
from devices.dialects.base import Problem
from devices.dialects.homeassistant.availability import AvailabilityMemory
from devices.dialects.homeassistant.composition import Composition, Reader
from devices.dialects.homeassistant.payload import Payload
from devices.errors import InvalidCommand
from devices.message import Message, Publish


class HomeAssistantDriver:
    """One device. Remembers only what its availability topics said last."""

    acknowledges = False  # the convention has no answers: a command is confirmed by the state it leads to

    def __init__(
        self,
        device: Device,
        composition: Composition,
        availability: AvailabilityMemory,
        *,
        stale_after: timedelta | None,
    ) -> None:
        self.device = device
        self.stale_after = stale_after
        self.availability = availability
        self._writers = composition.writers
        self._readers = _by_topic(composition.readers)
        self.topics = tuple(sorted(self._readers.keys() | availability.topics))

    def readings(self, topic: str) -> int:
        return len(self._readers.get(topic, ())) + self.availability.readings(topic)

    def read(self, message: Message) -> tuple[Report | Problem, ...]:
        """At most one report: the message's values, and the availability where it tells. Raises `InvalidPayload`."""
        payload = Payload.of(message)
        values: dict[PropertyName, Value] = {}
        for reader in self._readers.get(message.topic, ()):
            values.update(reader.values(payload))
        availability = self.availability.take(message.topic, payload)
        said: tuple[Report | Problem, ...] = ()
        if payload.work < 0:
            detail = f"{self.device.name}: its templates need more work than one message may cost; not all were read"
            said = (Problem(message.topic, "too_much_work", detail),)
        if not values and availability is None:
            return said
        report = Report(
            device_id=self.device.id,
            values=values,
            availability=availability,
            retained=message.retained,
            received=message.received,
        )
        return (report, *said)

    def write(self, command: Command) -> tuple[Publish, ...]:
        """Raises `InvalidCommand` where the property cannot be set."""
        write = self._writers.get(command.property)
        if write is None:
            raise InvalidCommand(f"{command.property} of device {self.device.id} cannot be set")
        return write(command.value)


def _by_topic(readers: Iterable[Reader]) -> dict[str, tuple[Reader, ...]]:
    ordered = sorted(readers, key=lambda reader: reader.topic)
    return {topic: tuple(group) for topic, group in groupby(ordered, key=lambda reader: reader.topic)}
