"""What we know of each device: its description, whose it is, what it reported and whether it can be reached.

No I/O. Reports come in one by one (`apply`), time comes in as `tick`. A claimed device is never silently deleted: when
it takes its description back it stays, offline, until a technician releases it.
"""

import heapq
import logging
from collections import Counter, OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from devices.availability import Presence
from devices.changes import ChangeKind
from devices.commands import CommandQueue
from devices.device import (
    Availability,
    DeviceId,
    DeviceRecord,
    Namespace,
    PropertyName,
    Report,
    Reported,
    Value,
)
from devices.driver import Driver, GatewayDriver
from devices.errors import DeviceNotFound

GONE_LIMIT = 4096

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Heard:
    value: Value
    received: datetime
    epoch: int  # of the registry when it was heard live; -1: from a retained message or the database


@dataclass(slots=True)
class Entry:
    """One device."""

    driver: Driver
    discovery_topic: str
    discovery_payload: bytes
    presence: Presence
    queue: CommandQueue
    kept: bool = False  # what is written of it is read back after a restart
    room: str | None = None  # that has claimed it; None: in the inbox, and not commanded
    removed: bool = False  # it took its description back while claimed
    values: dict[PropertyName, _Heard] = field(default_factory=dict)
    fresh_from: int = 0  # values heard in an earlier epoch are not fresh: the device has been away since
    due: datetime | None = None  # its next place in the registry's heap


class SchoolDevices:
    """The devices of one school that people can see. `version`: another one when any is described otherwise."""

    __slots__ = ("entries", "in_rooms", "version")

    def __init__(self) -> None:
        self.entries: dict[DeviceId, Entry] = {}
        self.in_rooms = 0  # so many of them
        self.version = 0

    def add(self, entry: Entry) -> None:
        self.entries[entry.driver.device.id] = entry
        self.in_rooms += entry.room is not None
        self.version += 1

    def remove(self, entry: Entry) -> None:
        del self.entries[entry.driver.device.id]
        self.in_rooms -= entry.room is not None
        self.version += 1


class Registry:
    """All devices. Methods that change a device return the kinds of change."""

    def __init__(self) -> None:
        self._entries: dict[DeviceId, Entry] = {}
        self._per_school: Counter[Namespace] = Counter()
        self._rooms: dict[str, set[DeviceId]] = {}
        self._gone: OrderedDict[DeviceId, Namespace] = OrderedDict()  # the last that were forgotten
        self._kept: dict[Namespace, SchoolDevices] = {}
        self._epoch = 0
        self._due: list[tuple[datetime, DeviceId]] = []

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries.values())

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, id: DeviceId) -> Entry | None:
        return self._entries.get(id)

    def entry(self, id: DeviceId) -> Entry:
        """Raises `DeviceNotFound`."""
        entry = self._entries.get(id)
        if entry is None:
            raise DeviceNotFound(f"no device {id}")
        return entry

    def discovered(self, driver: Driver, topic: str, payload: bytes) -> tuple[ChangeKind, ...]:
        """A device described itself, for the first time or anew."""
        device = driver.device
        entry = self._entries.get(device.id)
        if entry is None:
            self._entries[device.id] = Entry(
                driver,
                topic,
                payload,
                Presence(stale_after=driver.stale_after),
                CommandQueue(acknowledges=driver.acknowledges),
            )
            self._per_school[device.namespace] += 1
            logger.info("device %s: discovered (%s, %s)", device.id, device.namespace, device.dialect)
            return (ChangeKind.DISCOVERED,)
        changed = entry.driver.device != device or entry.removed or entry.discovery_payload != payload
        if entry.kept and changed:
            self.of_school(device.namespace).version += 1
        if entry.removed:
            logger.info("device %s: describes itself again", device.id)
        entry.driver, entry.discovery_topic, entry.discovery_payload = driver, topic, payload
        entry.removed = False
        entry.presence.stale_after = driver.stale_after
        entry.queue.acknowledges = driver.acknowledges
        known = {each.name for each in device.properties}
        for name in entry.values.keys() - known:
            del entry.values[name]
        return (ChangeKind.UPDATED,) if changed else ()

    def took_back(self, id: DeviceId) -> tuple[ChangeKind, ...]:
        """The device took its description back: gone if it is nobody's, else offline and marked as removed."""
        entry = self._entries.get(id)
        if entry is None or entry.removed:
            return ()
        if entry.room is None:
            self.forget(id)
            logger.info("device %s: removed", id)
            return (ChangeKind.REMOVED,)
        entry.removed = True
        logger.warning("device %s: removed its description though it is in a room", id)
        if entry.presence.removed():
            self._is_old(entry)
        return (ChangeKind.UPDATED, ChangeKind.AVAILABILITY)

    def forget(self, id: DeviceId) -> None:
        entry = self._entries.pop(id, None)
        if entry is not None:
            self.move(entry, None)
            self._per_school[entry.driver.device.namespace] -= 1
            self._gone[id] = entry.driver.device.namespace
            if len(self._gone) > GONE_LIMIT:
                self._gone.popitem(last=False)
            if entry.kept:
                self.of_school(entry.driver.device.namespace).remove(entry)

    def school_of(self, id: DeviceId) -> Namespace | None:
        """Whose the device is, or was until lately; None: it is not known."""
        entry = self._entries.get(id)
        return self._gone.get(id) if entry is None else entry.driver.device.namespace

    def move(self, entry: Entry, room: str | None) -> bool:
        """Have the device in that room from now on; None: in the inbox. False where it is so already."""
        if entry.room == room:
            return False
        id = entry.driver.device.id
        self.of_school(entry.driver.device.namespace).in_rooms += entry.kept * (
            (room is not None) - (entry.room is not None)
        )
        if entry.room is not None:
            self._rooms[entry.room].discard(id)
            if not self._rooms[entry.room]:
                del self._rooms[entry.room]
        entry.room = room
        if room is not None:
            self._rooms.setdefault(room, set()).add(id)
        return True

    def in_room(self, room: str) -> list[Entry]:
        """By id."""
        return [self._entries[id] for id in sorted(self._rooms.get(room, ()))]

    def count(self, namespace: Namespace) -> int:
        """How many devices of a school are known."""
        return self._per_school[namespace]

    def of_school(self, namespace: Namespace) -> "SchoolDevices":
        """A school's devices that are kept."""
        return self._kept.setdefault(namespace, SchoolDevices())

    def keep(self, id: DeviceId) -> None:
        """The device is in the database, so people can do something with it."""
        entry = self._entries.get(id)
        if entry is not None and not entry.kept:
            entry.kept = True
            self.of_school(entry.driver.device.namespace).add(entry)

    def restore(self, entry_id: DeviceId, *, room: str | None, reported: Mapping[PropertyName, Reported]) -> None:
        """Values and room of a device from the database. Raises `DeviceNotFound`."""
        entry = self.entry(entry_id)
        self.keep(entry_id)
        self.move(entry, room)
        known = {each.name for each in entry.driver.device.properties}
        entry.values = {name: _Heard(each.value, each.received, -1) for name, each in reported.items() if name in known}
        entry.presence.last_heard = max((each.received for each in entry.values.values()), default=None)

    def apply(self, report: Report) -> tuple[ChangeKind, ...]:
        """Take in what a device said. A report of an unknown device says nothing."""
        entry = self._entries.get(report.device_id)
        if entry is None or entry.removed:
            return ()
        changed_presence = self._apply_presence(entry, report)
        changed_values = False
        if report.values or report.unknown:
            changed_values = self._apply_values(entry, report)
        if changed_values:
            return (ChangeKind.REPORTED, ChangeKind.AVAILABILITY) if changed_presence else (ChangeKind.REPORTED,)
        return (ChangeKind.AVAILABILITY,) if changed_presence else ()

    def heard(self, id: DeviceId, now: datetime) -> tuple[ChangeKind, ...]:
        """The device sent something live that is no report (an acknowledgement)."""
        entry = self._entries.get(id)
        if entry is None or entry.removed:
            return ()
        changed = entry.presence.heard(now)
        self._schedule(entry)
        return (ChangeKind.AVAILABILITY,) if changed else ()

    def announced(self, id: DeviceId, now: datetime) -> tuple[ChangeKind, ...]:
        """The device described itself live, perhaps with the same words as before."""
        entry = self._entries.get(id)
        if entry is None or entry.removed:
            return ()
        changed = entry.presence.announced(now)
        self._schedule(entry)
        return (ChangeKind.AVAILABILITY,) if changed else ()

    def _apply_presence(self, entry: Entry, report: Report) -> bool:
        presence = entry.presence
        changed = False
        if report.availability is Availability.OFFLINE:
            presence.said_offline(report.received)
        elif not report.retained:
            changed = presence.heard(report.received)
        elif report.availability is Availability.ONLINE:
            changed = presence.said_online()
        self._schedule(entry)
        return changed

    def _apply_values(self, entry: Entry, report: Report) -> bool:
        fresh_from = entry.fresh_from
        epoch = -1 if report.retained else self._epoch
        changed = False
        for name, value in report.values.items():
            known = entry.values.get(name)
            if known is None:
                entry.values[name] = _Heard(value, report.received, epoch)
                changed = True
                continue
            was_fresh = known.epoch >= fresh_from
            if report.retained:
                if was_fresh or known.value == value:
                    continue  # no news: as old as what we heard live, or the same, whose age we know better
                known.value, known.received, known.epoch = value, report.received, -1
                changed = True
                continue
            if known.value != value or not was_fresh:
                changed = True
            known.value, known.received, known.epoch = value, report.received, epoch
        return self._forget_values(entry, report, fresh_from) or changed

    def _forget_values(self, entry: Entry, report: Report, fresh_from: int) -> bool:
        """What the device does not know any more, we do not either. True if there was something to forget."""
        forgotten = [
            name
            for name in report.unknown
            if (known := entry.values.get(name)) is not None and not (report.retained and known.epoch >= fresh_from)
        ]
        for name in forgotten:
            del entry.values[name]
        return bool(forgotten)

    def missed(self, id: DeviceId) -> tuple[ChangeKind, ...]:
        """Some of what the device said was not read: what it reported before may not be so any more."""
        entry = self._entries.get(id)
        if entry is None:
            return ()
        self._is_old(entry)
        return (ChangeKind.REPORTED,)

    def reported(self, entry: Entry) -> dict[PropertyName, Reported]:
        return {
            name: Reported(value=each.value, received=each.received, fresh=each.epoch >= entry.fresh_from)
            for name, each in entry.values.items()
        }

    def fresh(self, entry: Entry, name: PropertyName) -> tuple[Value, datetime] | None:
        """The value if it was heard live since the device, and we, are connected; and when.

        None also of a device that is asked now and then: it may have changed since it last answered.
        """
        known = entry.values.get(name)
        if known is None or known.epoch < entry.fresh_from or isinstance(entry.driver, GatewayDriver):
            return None
        if entry.presence.state is not Availability.ONLINE:
            return None
        return known.value, known.received

    def record(self, entry: Entry) -> DeviceRecord:
        return DeviceRecord(
            device=entry.driver.device,
            discovery_topic=entry.discovery_topic,
            discovery_payload=entry.discovery_payload,
            room=entry.room,
            reported=self.reported(entry),
        )

    def disconnected(self) -> list[DeviceId]:
        """We lost the broker: of the devices behind it no value is fresh, and none is known to be online.

        Returns the devices that changed.
        """
        self._epoch += 1
        changed = []
        for id, entry in self._entries.items():
            if isinstance(entry.driver, GatewayDriver):
                continue
            entry.fresh_from = self._epoch
            entry.due = None
            if entry.presence.disconnected():
                changed.append(id)
        self._due = [(when, id) for when, id in self._due if id in self._entries and self._entries[id].due == when]
        heapq.heapify(self._due)
        return changed

    def doubt(self, namespace: Namespace) -> list[DeviceId]:
        """The broker may have cut off a school's devices: none of them is known to be online.

        Returns the devices that changed.
        """
        changed = []
        for id, entry in self._entries.items():
            of_broker = entry.driver.device.namespace == namespace and not isinstance(entry.driver, GatewayDriver)
            if of_broker and entry.presence.disconnected():
                self._schedule(entry)
                changed.append(id)
        return changed

    @property
    def due(self) -> datetime | None:
        """When `tick` has something to do next."""
        return self._due[0][0] if self._due else None

    def tick(self, now: datetime, *, at_most: int | None = None) -> list[DeviceId]:
        """Decide who is offline or stale by now; returns the devices whose availability changed, `at_most` so many."""
        changed: list[DeviceId] = []
        while self._due and self._due[0][0] <= now and len(changed) != at_most:
            when, id = heapq.heappop(self._due)
            entry = self._entries.get(id)
            if entry is None or entry.due != when:
                continue
            entry.due = None
            if entry.presence.tick(now):
                changed.append(id)
                logger.info("device %s: %s", id, entry.presence.state)
                if entry.presence.state is Availability.OFFLINE:
                    self._is_old(entry)
            self._schedule(entry)
        return changed

    def _schedule(self, entry: Entry) -> None:
        """Have the entry in the heap no later than it is due. Talking later only moves it when its time has come."""
        due = entry.presence.due
        if due is not None and (entry.due is None or due < entry.due):
            entry.due = due
            heapq.heappush(self._due, (due, entry.driver.device.id))

    def _is_old(self, entry: Entry) -> None:
        """What it reported before may not be so any more."""
        self._epoch += 1
        entry.fresh_from = self._epoch
