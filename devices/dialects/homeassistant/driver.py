"""Reads and writes one device that was discovered in Home Assistant's form."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from itertools import groupby

from devices.device import Availability, Command, Device, PropertyName, Report, Value
from devices.dialects.homeassistant.availability import AvailabilityMemory
from devices.dialects.homeassistant.composition import Composition, Reader
from devices.dialects.homeassistant.payload import Payload
from devices.driver import Problem
from devices.errors import InvalidCommand, InvalidPayload
from devices.mqtt.message import Message, Publish


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
        listeners: Mapping[str, int],
    ) -> None:
        """`listeners`: how many devices each state topic is read for."""
        self.device = device
        self.stale_after = stale_after
        self.availability = availability
        self._writers = composition.writers
        self._readers = _by_topic(composition.readers)
        self._listeners = listeners
        self.topics = tuple(sorted(self._readers.keys() | availability.topics))

    def readings(self, topic: str) -> int:
        return len(self._readers.get(topic, ())) + self.availability.readings(topic)

    def read(self, message: Message) -> tuple[Report | Problem, ...]:
        """What the message says, and a problem where it is not what its readers read.

        A live message on a state topic of its own is a report even if it says nothing that is followed: it is there.
        """
        try:
            payload = Payload.of(message)
        except InvalidPayload as error:
            return (*self._heard(message), Problem(message.topic, "invalid_payload", str(error)))
        values: dict[PropertyName, Value | None] = {}
        for reader in self._readers.get(message.topic, ()):
            values.update(reader.values(payload))
        availability = self.availability.take(message.topic, payload)
        problems = tuple(self._problems(message.topic, payload))
        if not values and availability is None:
            return (*self._heard(message), *problems)
        return (self._report(message, values, availability), *problems)

    @property
    def state_topics(self) -> Iterable[str]:
        return self._readers.keys()

    def _heard(self, message: Message) -> tuple[Report, ...]:
        """A message without a value: of this device only if no other has the topic, and of now only if it is live."""
        own = message.topic in self._readers and self._listeners.get(message.topic) == 1
        return (self._report(message, {}, None),) if own and not message.retained else ()

    def _problems(self, topic: str, payload: Payload) -> Iterator[Problem]:
        if payload.unreadable:
            yield Problem(topic, "invalid_payload", payload.unreadable)
        if payload.overworked:
            detail = f"{self.device.name}: its templates need more work than one message may cost; not all were read"
            yield Problem(topic, "too_much_work", detail)

    def _report(
        self, message: Message, values: Mapping[PropertyName, Value | None], availability: Availability | None
    ) -> Report:
        known = {name: value for name, value in values.items() if value is not None}
        return Report(
            device_id=self.device.id,
            values=known,
            unknown=frozenset() if len(known) == len(values) else frozenset(values.keys() - known.keys()),
            availability=availability,
            retained=message.retained,
            received=message.received,
        )

    def write(self, command: Command) -> tuple[Publish, ...]:
        """Raises `InvalidCommand` where the property cannot be set."""
        write = self._writers.get(command.property)
        if write is None:
            raise InvalidCommand(f"{command.property} of device {self.device.id} cannot be set")
        return write(command.value)


def _by_topic(readers: Iterable[Reader]) -> dict[str, tuple[Reader, ...]]:
    ordered = sorted(readers, key=lambda reader: reader.topic)
    return {topic: tuple(group) for topic, group in groupby(ordered, key=lambda reader: reader.topic)}
