"""Takes in what comes from the broker: descriptions, reports, answers. Nothing that comes can raise from here.

Each school has its share (`devices/shares.py`): its messages wait in a queue of its own, are read in steps of a few
milliseconds, and what is more than its share gives way to what is newer. What came of the others is read all the same.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from devices.changes import ChangeKind, Changes
from devices.device import Acknowledgement, Command, Device, DeviceId, DeviceRecord, Namespace, Report
from devices.dialects.base import Dialect
from devices.driver import Driver, GatewayDriver, MqttDriver, Problem, Statement
from devices.errors import InvalidCommand, InvalidPayload
from devices.mqtt.filters import FilterTree
from devices.mqtt.message import Message, Publish
from devices.mqtt.reconnecting import ReconnectingMqtt
from devices.overload import Overloads, topic_of
from devices.problems import Problems
from devices.readers import Readers, Topic
from devices.registry import Registry
from devices.sender import Sender
from devices.shares import Kind, Lane, Shares, busiest

logger = logging.getLogger(__name__)

SLICE_NS = 2_000_000
"""Of processor time that is read in one turn of the loop, and the step that is going on then."""
CHEAP_NS = 200_000
BEHIND_S = 0.5
"""With reading, before one of several schools that sends most of what comes is not listened to."""
NOT_LISTENED_TO = timedelta(seconds=10)
NOT_LISTENED_TO_LIMIT = timedelta(minutes=10)
"""To the busiest topics of a school that sends more than we can receive; twice as long each time until it is over."""
TOLD_EVERY = timedelta(seconds=1)
DEVICES_LIMIT = 5_000
"""Of one school: several times what a large one has, and no more than one school may make us remember."""


class UnreadableDriver:
    """Stands for a device from the database whose description nobody understands any more: it is not lost."""

    acknowledges = False
    stale_after = None
    topics: tuple[str, ...] = ()

    def __init__(self, device: Device) -> None:
        self.device = device

    def readings(self, topic: str) -> int:
        return 0

    def read(self, message: Message) -> tuple[Report, ...]:
        return ()

    def write(self, command: Command) -> tuple[Publish, ...]:
        raise InvalidCommand(f"the description of {self.device.id} cannot be understood any more")


Work = Message | Iterator[None]
"""A message that nobody has looked at, or the steps that are left of one."""


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
        self._readers = Readers()
        self._shares: Shares[Namespace, Work] = Shares()
        self._overloads = Overloads()
        self._silenced: dict[str, tuple[Namespace, datetime]] = {}  # topics and filters not listened to, until when
        self._tell_at = clock()
        self._connection = 0
        self._heard: Counter[Namespace] = Counter()  # messages while we were behind with reading
        self._left = asyncio.Event()
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
        for topics in self._topics(gone).values():
            self._broker.unsubscribe(topics)
        for namespace in gone:
            self._shares.forget(namespace)
            self._overloads.forget(namespace)
            self._problems.forget(namespace)
        for namespace, topics in self._topics(new).items():
            self._broker.subscribe(topics, of=namespace)
        return new

    def _topics(self, namespaces: frozenset[Namespace]) -> dict[Namespace, list[str]]:
        """Discovery first, then what is known already."""
        if not namespaces:
            return {}
        topics = {
            namespace: [filter for dialect in self._dialects for filter in dialect.discovery_filters(namespace)]
            for namespace in sorted(namespaces)
        }
        for entry in self._registry:
            driver = entry.driver
            if driver.device.namespace in namespaces and not entry.removed and not isinstance(driver, GatewayDriver):
                topics[driver.device.namespace] += driver.topics
        return topics

    def restore(self, record: DeviceRecord) -> None:
        """A device of the broker from the database; its description is read again, later where its school has many."""
        device = record.device
        message = Message(
            topic=record.discovery_topic,
            payload=record.discovery_payload,
            retained=True,
            received=self._clock(),
        )
        lane = self._shares.lane(device.namespace)
        begun = time.thread_time_ns()
        driver = self._restored_driver(device, message) if lane.budget_ns > 0 else UnreadableDriver(device)
        self._restore(record, driver)
        if lane.budget_ns > 0:
            self._attach(driver)
        else:
            self._shares.put(
                lane, self._read_again(device, message), len(message.payload), (f"{message.topic} {device.id}", True)
            )
        self._shares.spend(lane, time.thread_time_ns() - begun)

    def restore_connected(self, record: DeviceRecord, driver: GatewayDriver) -> None:
        """A device behind a gateway from the database."""
        self._restore(record, driver)
        self._attach(driver)

    def _restore(self, record: DeviceRecord, driver: Driver) -> None:
        self._registry.discovered(driver, record.discovery_topic, record.discovery_payload)
        self._registry.restore(record.device.id, room=record.room, reported=record.reported)

    def _read_again(self, device: Device, message: Message) -> Iterator[None]:
        """The description of a device whose school had too many to be read before we connected."""
        entry = self._registry.get(device.id)
        if entry is not None and _unreadable(entry.driver):
            for dialect in self._dialects:
                if dialect.name == device.dialect:
                    yield from dialect.prepare(message)
            driver = self._restored_driver(device, message)
            self._registry.discovered(driver, message.topic, message.payload)
            self._attach(driver)
            self._changes.publish(ChangeKind.UPDATED, device.id)
        yield

    def _restored_driver(self, device: Device, message: Message) -> MqttDriver:
        why = "no such dialect"
        for dialect in self._dialects:
            if dialect.name != device.dialect:
                continue
            try:
                found = dialect.discover(device.namespace, message).drivers
            except InvalidPayload as error:
                found, why = (), str(error)
            for driver in found:
                if driver.device.id == device.id and not (why := self._readers.refusal(driver)):
                    return driver
        problem = Problem(message.topic, "not_restored", f"{device.dialect} device {device.id}: {why}")
        self._problems.add(device.namespace, problem, self._clock())
        return UnreadableDriver(device)

    def forget(self, id: DeviceId) -> None:
        """Drop a device and end its commands. Raises `DeviceNotFound`."""
        entry = self._registry.entry(id)
        self._sender.cancel(entry)
        self._detach(entry.driver)
        if isinstance(entry.driver, GatewayDriver):
            self._problems.clear(entry.driver.device.namespace, entry.discovery_topic)
        self._registry.forget(id)
        self._changes.publish(ChangeKind.REMOVED, id)

    def take_in(self, messages: Iterable[Message]) -> None:
        """Queue messages of the broker, in order, each for its school, and read what there is time for."""
        begun = mark = time.monotonic_ns()
        idle = not self._shares.ready
        behind = self._broker.behind_s
        if not behind and self._heard:
            self._heard.clear()
        for message in messages:
            if message.topic in self._silenced:
                continue  # it was under way
            topic = self._readers.get(message.topic)
            if topic is not None:
                school, retained = topic.school, message.retained
            else:
                found = next(self._discovery.match(message.topic), None)
                if found is None:
                    continue
                school, retained = found[1], False  # the newest description counts, whoever sends it
            lane, size = self._shares.lane(school), len(message.payload)
            if idle and mark - begun < SLICE_NS and topic is not None and _cheap(topic, size) and lane.idle:
                self._step(school, message)  # nobody waits, so it needs no queue, nor a clock that costs more than it
                ended = time.monotonic_ns()
                topic.dear = ended - mark > CHEAP_NS  # it, or another process meanwhile: from now on measured exactly
                self._shares.spend(lane, min(ended - mark, CHEAP_NS))
                mark = ended
            else:
                self._shares.put(lane, message, size, (message.topic, retained))
            if not message.retained:
                if behind:
                    self._heard[school] += 1
                if not self._shares.arrived(lane, size, begun):
                    self._silence(lane, message.topic, message.received)
        if behind >= BEHIND_S and len(self.namespaces) > 1:
            self._silence_loudest()
        if idle and self._shares.ready:
            self.serve()

    def take_in_from_gateway(self, driver: GatewayDriver, source: str, statements: tuple[Statement, ...]) -> None:
        """Queue what a gateway was answered; `source` is the topic of its problems. It has its school's share, too."""
        school = driver.device.namespace
        if school in self.namespaces:
            self._put(school, self._stated(driver, source, statements), source)

    def take_in_description(self, driver: GatewayDriver, source: str) -> None:
        """Queue what a gateway has found out of its device: other properties, another firmware."""
        school = driver.device.namespace
        if school in self.namespaces:
            self._put(school, self._described(driver, source), f"{source} description")

    def _put(self, school: Namespace, steps: Iterator[None], kind: str) -> None:
        lane = self._shares.lane(school)
        self._shares.arrived(lane, 0, time.monotonic_ns())  # its cost counts; a gateway sets the pace itself
        self._shares.put(lane, steps, 0, (kind, False))
        self._left.set()

    def _stated(self, driver: GatewayDriver, source: str, statements: tuple[Statement, ...]) -> Iterator[None]:
        now = self._clock()
        if self._registry.get(driver.device.id) is None:
            return  # forgotten meanwhile
        if not any(isinstance(each, Acknowledgement) for each in statements):  # one says nothing of other problems
            self._problems.clear(driver.device.namespace, source)
        for each in statements:
            self._state(driver.device.namespace, each, now=now, retained=False)
        yield

    def _described(self, driver: GatewayDriver, source: str) -> Iterator[None]:
        if self._registry.get(driver.device.id) is not None:  # not forgotten meanwhile
            self.connect(driver, source)
        yield

    def connect(self, driver: GatewayDriver, source: str) -> None:
        """A device behind a gateway is there, or is described otherwise than before."""
        known = self._registry.get(driver.device.id)
        if known is not None and known.discovery_topic != source:
            self._problems.clear(driver.device.namespace, known.discovery_topic)  # it is elsewhere now
        message = Message(topic=source, payload=driver.description, retained=True, received=self._clock())
        self._discovered(driver, driver.device.namespace, message)

    def serve(self) -> None:
        """Read what waits, for `SLICE_NS` and a step at most; `backlog` says when there is more."""
        now_ns, begun = time.monotonic_ns(), time.thread_time_ns()
        mark = begun
        while mark - begun < SLICE_NS and (found := self._shares.next(now_ns)) is not None:
            lane, work = found
            lane.begun = self._step(lane.school, work)
            ended = time.thread_time_ns()
            self._shares.spend(lane, ended - mark)
            mark = ended
        if self._shares.ready or self._shares.due_ns is not None:
            self._left.set()

    async def backlog(self) -> None:
        """Return when there may be something for `serve` or `tick`."""
        if self._shares.ready:
            return
        self._left.clear()
        due_ns = self._shares.due_ns
        delays_s = [] if due_ns is None else [max(0.0, (due_ns - time.monotonic_ns()) / 1e9)]
        if self._overloads or self._silenced:
            delays_s.append(TOLD_EVERY.total_seconds())
        with suppress(TimeoutError):
            async with asyncio.timeout(min(delays_s, default=None)):
                await self._left.wait()

    def disconnected(self) -> None:
        """What was heard before is not known to be so any more."""
        self._connection += 1
        for lane in self._shares:
            self._shares.clear(lane, lambda work: not isinstance(work, Message))

    def _step(self, school: Namespace, work: Work) -> Iterator[None] | None:
        """Do a piece of work, or a step of it; what is left of it."""
        try:
            if isinstance(work, Message):
                topic = self._readers.get(work.topic)
                if topic is not None and len(topic.drivers) == 1:
                    for driver in topic.drivers:
                        self._read(driver, work)
                        return None
                work = self._steps(school, work)
            next(work)
        except StopIteration:
            return None
        except Exception:  # noqa: BLE001 - the rim of one message
            logger.exception("school %s: a message could not be taken in", school)
            self._problems.add(school, Problem(topic_of(school), "internal_error", "see the log"), self._clock())
            return None
        return work

    def _steps(self, school: Namespace, message: Message) -> Iterator[None]:
        """Take in a message that several devices read, or a description; nothing of it once the connection is lost."""
        connection = self._connection
        topic = self._readers.get(message.topic)
        if topic is not None:
            for driver in topic.drivers:
                self._read(driver, message)
                yield
                if connection != self._connection:
                    return
            return
        for dialect, namespace in self._discovery.match(message.topic):
            yield from dialect.prepare(message)
            if connection != self._connection:
                return
            self._discover(dialect, namespace, message)

    def _silence_loudest(self) -> None:
        """We cannot read as much as comes: have the broker send less of whoever sends most of it."""
        school, count = next(iter(self._heard.most_common(1)), (Namespace(""), 0))
        if count * 2 > self._heard.total():
            self._heard.clear()
            self._silence(self._shares.lane(school), "", self._clock())

    def _silence(self, lane: Lane[Namespace, Work], last: str, now: datetime) -> None:
        """Have the broker send no more of a school's busiest topics for a while: what comes faster than we can receive
        it waits in the broker, before the messages of the others. `last`: the topic of the one that was too many."""
        topics = list(dict.fromkeys(topic for topic, _ in busiest(lane))) or [last]
        filters = [each for each in topics if self._readers.get(each) is not None]
        if len(filters) < len(topics):
            filters += [each for dialect in self._dialects for each in dialect.discovery_filters(lane.school)]
        new = [each for each in filters if each not in self._silenced]
        if not new:
            return
        turn = self._overloads.silenced(lane.school)
        for each in new:
            self._silenced[each] = lane.school, now + min(NOT_LISTENED_TO * 2**turn, NOT_LISTENED_TO_LIMIT)
            self._missed(each)
        self._broker.unsubscribe(new)
        self._problems.add(lane.school, self._overloads.add(lane.school, now, not_listened_to=new), now)
        self._left.set()

    def _missed(self, name: str) -> None:
        """Something on the topic was not read: what its devices said before is not fresh."""
        topic = self._readers.get(name)
        for id in [each.device.id for each in topic.drivers] if topic is not None else ():
            for kind in self._registry.missed(id):
                self._changes.publish(kind, id)

    def tick(self, now: datetime) -> None:
        """Tell schools that they send too much, or that it is over; listen again to what was too busy."""
        if now < self._tell_at:
            return
        self._tell_at = now + TOLD_EVERY
        for lane in self._shares:
            if lane.passed_over or lane.refused:
                passed_over, lane.passed_over = _by_topic(lane.passed_over), Counter()
                refused, lane.refused = _by_topic(lane.refused), Counter()
                problem = self._overloads.add(lane.school, now, passed_over=passed_over, refused=refused)
                self._problems.add(lane.school, problem, now)
        for filter, (school, until) in list(self._silenced.items()):
            self._overloads.goes_on(school, now)
            if until <= now:
                del self._silenced[filter]
                self._missed(filter)
                if school in self.namespaces:
                    self._broker.subscribe([filter], of=school)
        for school, overload in self._overloads.over(now).items():
            self._problems.clear(school, topic_of(school))
            if overload.refused:  # the broker replays what is retained to whoever subscribes anew
                filters = [each for dialect in self._dialects for each in dialect.discovery_filters(school)]
                self._broker.unsubscribe(filters)
                self._broker.subscribe(filters, of=school)

    def _problem(self, school: Namespace, message: Message, code: str, detail: str) -> None:
        self._problems.add(school, Problem(message.topic, code, detail[:1000]), message.received)

    def _read(self, driver: MqttDriver, message: Message) -> None:
        """A message on a topic of a device."""
        school = driver.device.namespace
        try:
            said = driver.read(message)
        except InvalidPayload as error:
            self._problem(school, message, "invalid_payload", str(error))
            return
        well = True
        for each in said:
            if isinstance(each, Report):  # most are: one call less for each message
                self._report(each)
            else:
                well = well and not isinstance(each, Problem)
                self._state(school, each, now=message.received, retained=message.retained)
        if well:
            self._problems.clear(school, message.topic)

    def _state(self, school: Namespace, statement: Statement, *, now: datetime, retained: bool) -> None:
        if isinstance(statement, Report):
            self._report(statement)
        elif isinstance(statement, Acknowledgement):
            self._acknowledged(statement, now=now, retained=retained)
        else:
            self._problems.add(school, statement, now)

    def _report(self, report: Report) -> None:
        kinds = self._registry.apply(report)
        if kinds:
            for kind in kinds:
                self._changes.publish(kind, report.device_id)
        entry = self._registry.get(report.device_id)
        if entry is not None and len(entry.queue):
            if report.values and not report.retained:
                self._sender.finish(entry.queue.reported(report.values, report.received))
            self._sender.poke(report.device_id)  # it may be back

    def _acknowledged(self, answer: Acknowledgement, *, now: datetime, retained: bool) -> None:
        entry = self._registry.get(answer.device_id)
        if entry is None or retained:
            return
        if self._registry.heard(answer.device_id, now):
            self._changes.publish(ChangeKind.AVAILABILITY, answer.device_id)
        self._sender.finish(entry.queue.acknowledged(answer, now))
        self._sender.acknowledged(entry)

    def _discover(self, dialect: Dialect, namespace: Namespace, message: Message) -> None:
        """A message on a discovery topic."""
        self._problems.clear(namespace, message.topic)
        try:
            discovery = dialect.discover(namespace, message)
        except InvalidPayload as error:
            self._problem(namespace, message, "invalid_payload", str(error))
            return
        for problem in discovery.problems:
            self._problems.add(namespace, problem, message.received)
        for driver in discovery.drivers:
            self._discovered(driver, namespace, message)
            if not message.retained and self._registry.announced(driver.device.id, message.received):
                self._changes.publish(ChangeKind.AVAILABILITY, driver.device.id)
        for id in discovery.removed:
            self._took_back(id, message)

    def _discovered(self, driver: Driver, namespace: Namespace, message: Message) -> None:
        device = driver.device
        why = "is of another school" if device.namespace != namespace else self._readers.refusal(driver)
        if why:
            self._problem(namespace, message, "invalid_topics", why)
            return
        known = self._registry.get(device.id)
        if known is None and self._registry.count(namespace) >= DEVICES_LIMIT:
            detail = f"the school has {DEVICES_LIMIT} devices already"
            self._problem(namespace, message, "too_many_devices", detail)
            return
        if known is not None:
            again = (known.discovery_topic, known.discovery_payload) == (message.topic, message.payload)
            if (again or known.driver is driver) and not known.removed and not _unreadable(known.driver):
                return  # said once more; the driver we have remembers more than a new one would
            self._detach(known.driver)
        kinds = self._registry.discovered(driver, message.topic, message.payload)
        self._attach(driver)
        for kind in kinds:
            self._changes.publish(kind, device.id)

    def _took_back(self, id: DeviceId, message: Message) -> None:
        entry = self._registry.get(id)
        if entry is None:
            return
        kinds = self._registry.took_back(id)
        self._detach(entry.driver)
        for kind in kinds:
            self._changes.publish(kind, id)
        if entry.removed:
            detail = f"{entry.driver.device.name} is in a room, but removed its description"
            self._problem(entry.driver.device.namespace, message, "removed", detail)
        else:
            self._sender.cancel(entry)

    def _attach(self, driver: Driver) -> None:
        """Listen to the device. Subscribing anew makes the broker replay what it retains: values for new properties."""
        self._readers.attach(driver)
        school = driver.device.namespace
        if school in self.namespaces and not isinstance(driver, GatewayDriver):
            self._broker.subscribe([each for each in driver.topics if each not in self._silenced], of=school)

    def _detach(self, driver: Driver) -> None:
        """Stop listening to the device, where nobody else listens to the same topic."""
        self._broker.unsubscribe(self._readers.detach(driver))


def _cheap(topic: Topic, size: int) -> bool:
    """Whether a message of `size` bytes on the topic costs about `CHEAP_NS` at most, as far as is known."""
    return not topic.dear and topic.readings <= 20 and size <= 4096 and len(topic.drivers) == 1


def _unreadable(driver: Driver) -> bool:
    return isinstance(driver, UnreadableDriver)


def _by_topic(kinds: Counter[Kind]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for (topic, _), count in kinds.items():
        counts[topic] += count
    return counts
