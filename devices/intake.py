"""Takes in what comes from the broker: descriptions, reports, answers. Nothing that comes can raise from here."""

import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from devices.changes import ChangeKind, Changes
from devices.device import Acknowledgement, Command, Device, DeviceId, Namespace, Report
from devices.dialects.base import Dialect, Driver, Problem
from devices.errors import InvalidCommand, InvalidPayload
from devices.filters import FilterTree
from devices.message import Message, Publish
from devices.problems import Problems
from devices.reconnecting import ReconnectingMqtt
from devices.registry import DeviceRecord, Registry
from devices.sender import Sender

logger = logging.getLogger(__name__)

TOPICS_LIMIT = 200
"""Of one device."""
DEVICES_LIMIT = 5_000
"""Of one school: several times what a large one has, and no more than one school may make us remember."""


class UnreadableDriver:
    """Stands for a device from the database whose description nobody understands any more: it is not lost."""

    acknowledges = False
    stale_after = None
    topics: tuple[str, ...] = ()

    def __init__(self, device: Device) -> None:
        self.device = device

    def read(self, message: Message) -> tuple[Report, ...]:
        return ()

    def write(self, command: Command) -> tuple[Publish, ...]:
        raise InvalidCommand(f"the description of {self.device.id} cannot be understood any more")


class Intake:
    """From topic to driver to registry."""

    def __init__(
        self,
        registry: Registry,
        sender: Sender,
        changes: Changes,
        problems: Problems,
        broker: ReconnectingMqtt,
        dialects: Sequence[Dialect],
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._registry = registry
        self._sender = sender
        self._changes = changes
        self._problems = problems
        self._broker = broker
        self._dialects = dialects
        self._clock = clock
        self.namespaces: frozenset[Namespace] = frozenset()
        self._readers: dict[str, dict[DeviceId, Driver]] = {}
        self._discovery: FilterTree[tuple[Dialect, Namespace]] = FilterTree()

    def set_namespaces(self, namespaces: Iterable[Namespace]) -> frozenset[Namespace]:
        """Listen to these schools only; returns those that are new."""
        wanted = frozenset(namespaces)
        new, gone = wanted - self.namespaces, self.namespaces - wanted
        self.namespaces = wanted
        self._discovery = FilterTree()
        for namespace in sorted(wanted):
            for dialect in self._dialects:
                for filter in dialect.discovery_filters(namespace):
                    self._discovery.add(filter, (dialect, namespace))
        self._broker.unsubscribe(self._topics(gone))
        self._broker.subscribe(self._topics(new))
        return new

    def _topics(self, namespaces: frozenset[Namespace]) -> list[str]:
        """Discovery first, then what is known already."""
        if not namespaces:
            return []
        filters = [
            filter
            for namespace in sorted(namespaces)
            for dialect in self._dialects
            for filter in dialect.discovery_filters(namespace)
        ]
        known = [
            topic
            for entry in self._registry
            if entry.driver.device.namespace in namespaces and not entry.removed
            for topic in entry.driver.topics
        ]
        return filters + known

    def restore(self, record: DeviceRecord) -> None:
        """A device from the database, its description read again."""
        device = record.device
        message = Message(
            topic=record.discovery_topic,
            payload=record.discovery_payload,
            retained=True,
            received=self._clock(),
        )
        driver = self._restored_driver(device, message)
        self._registry.discovered(driver, message.topic, message.payload)
        self._registry.restore(device.id, claimed=record.claimed, reported=record.reported)
        self._attach(driver)

    def _restored_driver(self, device: Device, message: Message) -> Driver:
        why = "no such dialect"
        for dialect in self._dialects:
            if dialect.name != device.dialect:
                continue
            try:
                found = dialect.discover(device.namespace, message).drivers
            except InvalidPayload as error:
                found, why = (), str(error)
            for driver in found:
                if driver.device.id == device.id:
                    return driver
        problem = Problem(message.topic, "not_restored", f"{device.dialect} device {device.id}: {why}")
        self._problems.add(problem, self._clock())
        return UnreadableDriver(device)

    def forget(self, id: DeviceId) -> None:
        """Drop a device and end its commands. Raises `DeviceNotFound`."""
        entry = self._registry.entry(id)
        self._sender.cancel(entry)
        self._detach(entry.driver)
        self._registry.forget(id)
        self._changes.publish(id, ChangeKind.REMOVED)

    def take_in(self, messages: Iterable[Message]) -> None:
        """Take in messages, in order."""
        for message in messages:
            try:
                readers = self._readers.get(message.topic)
                if readers is not None:
                    for driver in tuple(readers.values()) if len(readers) > 1 else readers.values():
                        self._read(driver, message)
                else:
                    for dialect, namespace in self._discovery.match(message.topic):
                        self._discover(dialect, namespace, message)
            except Exception:  # noqa: BLE001 - the rim of one message
                logger.exception("topic %s: a message could not be taken in", message.topic)
                self._problem(message, "internal_error", "see the log")

    def _problem(self, message: Message, code: str, detail: str) -> None:
        self._problems.add(Problem(message.topic, code, detail[:1000]), message.received)

    def _read(self, driver: Driver, message: Message) -> None:
        """A message on a topic of a device."""
        try:
            said = driver.read(message)
        except InvalidPayload as error:
            self._problem(message, "invalid_payload", str(error))
            return
        well = True
        for each in said:
            if isinstance(each, Report):
                self._report(each)
            elif isinstance(each, Acknowledgement):
                self._acknowledged(each, message)
            else:
                well = False
                self._problems.add(each, message.received)
        if well and len(self._problems):
            self._problems.clear(message.topic)

    def _report(self, report: Report) -> None:
        kinds = self._registry.apply(report)
        if kinds:
            self._changes.publish(report.device_id, *kinds)
        entry = self._registry.get(report.device_id)
        if entry is not None and len(entry.queue):
            if report.values and not report.retained:
                self._sender.finish(entry.queue.reported(report.values, report.received))
            self._sender.poke(report.device_id)  # it may be back

    def _acknowledged(self, answer: Acknowledgement, message: Message) -> None:
        entry = self._registry.get(answer.device_id)
        if entry is None or message.retained:
            return
        if self._registry.heard(answer.device_id, message.received):
            self._changes.publish(answer.device_id, ChangeKind.AVAILABILITY)
        self._sender.finish(entry.queue.acknowledged(answer, message.received))
        self._sender.acknowledged(entry)

    def _discover(self, dialect: Dialect, namespace: Namespace, message: Message) -> None:
        """A message on a discovery topic."""
        self._problems.clear(message.topic)
        try:
            discovery = dialect.discover(namespace, message)
        except InvalidPayload as error:
            self._problem(message, "invalid_payload", str(error))
            return
        for problem in discovery.problems:
            self._problems.add(problem, message.received)
        for driver in discovery.drivers:
            self._discovered(driver, namespace, message)
            if not message.retained and self._registry.announced(driver.device.id, message.received):
                self._changes.publish(driver.device.id, ChangeKind.AVAILABILITY)
        for id in discovery.removed:
            self._took_back(id, message)

    def _discovered(self, driver: Driver, namespace: Namespace, message: Message) -> None:
        device = driver.device
        if device.namespace != namespace or len(driver.topics) > TOPICS_LIMIT or any(map(_wild, driver.topics)):
            self._problem(message, "invalid_topics", f"{device.name}: topics that cannot be listened to")
            return
        known = self._registry.get(device.id)
        if known is None and self._registry.count(namespace) >= DEVICES_LIMIT:
            self._problem(message, "too_many_devices", f"the school has {DEVICES_LIMIT} devices already")
            return
        if known is not None:
            again = (known.discovery_topic, known.discovery_payload) == (message.topic, message.payload)
            if (again or known.driver is driver) and not known.removed and not _unreadable(known.driver):
                return  # said once more; the driver we have remembers more than a new one would
            self._detach(known.driver)
        kinds = self._registry.discovered(driver, message.topic, message.payload)
        self._attach(driver)
        self._changes.publish(device.id, *kinds)

    def _took_back(self, id: DeviceId, message: Message) -> None:
        entry = self._registry.get(id)
        if entry is None:
            return
        kinds = self._registry.took_back(id)
        self._detach(entry.driver)
        self._changes.publish(id, *kinds)
        if entry.removed:
            self._problem(message, "removed", f"{entry.driver.device.name} is in a room, but removed its description")
        else:
            self._sender.cancel(entry)

    def _attach(self, driver: Driver) -> None:
        """Listen to the device. Subscribing anew makes the broker replay what it retains: values for new properties."""
        for topic in driver.topics:
            self._readers.setdefault(topic, {})[driver.device.id] = driver
        if driver.device.namespace in self.namespaces:
            self._broker.subscribe(driver.topics)

    def _detach(self, driver: Driver) -> None:
        """Stop listening to the device, where nobody else listens to the same topic."""
        unused = []
        for topic in driver.topics:
            readers = self._readers.get(topic)
            if readers is not None and readers.pop(driver.device.id, None) is not None and not readers:
                del self._readers[topic]
                unused.append(topic)
        self._broker.unsubscribe(unused)


def _unreadable(driver: Driver) -> bool:
    return isinstance(driver, UnreadableDriver)


def _wild(topic: str) -> bool:
    return not topic or "+" in topic or "#" in topic or "\0" in topic
