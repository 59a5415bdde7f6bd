"""The devices of one school, out of all that its discovery topics say.

In the device form one topic is one device; in the component form each topic is one component, and those with an
identifier in common are one device. Both may be mixed.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from hashlib import sha256

from devices.device import Device, Namespace, device_id
from devices.dialects.base import Discovery
from devices.dialects.homeassistant.announcement import Announcement, Component, Identity
from devices.dialects.homeassistant.availability import AvailabilityMemory
from devices.dialects.homeassistant.composition import compose, guess_type
from devices.dialects.homeassistant.driver import HomeAssistantDriver
from devices.driver import Problem
from devices.errors import InvalidPayload

MAX_TOPICS = 20_000  # discovery topics that one school may keep us busy with
MAX_SCHOOL_COMPONENTS = 10_000  # what one school may make us remember
MAX_COMPONENTS = 200  # of one device: each that is added has the device put together anew

UniqueId = tuple[str, str]
"""(platform, unique_id): what must be there only once in a school."""


@dataclass(slots=True)
class _Entry:
    """What a discovery topic said last."""

    digest: bytes
    key: str  # of the device
    announcement: Announcement
    problems: tuple[Problem, ...]
    migrating: bool = False  # its components may be taken over by another topic


@dataclass(slots=True)
class _Known:
    """One device: the topics that speak of it, what it is known by, and its driver once it has a component."""

    topics: set[str] = field(default_factory=set)
    tokens: set[str] = field(default_factory=set)
    driver: HomeAssistantDriver | None = None


class Inventory:
    """Takes what discovery topics say, one after the other, and says which devices there are now."""

    def __init__(self, dialect: str, namespace: Namespace) -> None:
        self._dialect = dialect
        self._namespace = namespace
        self._entries: dict[str, _Entry] = {}
        self._owners: dict[UniqueId, str] = {}  # the topic that was first
        self._keys: dict[str, str] = {}  # identity token -> device key
        self._known: dict[str, _Known] = {}  # by device key
        self._listeners: Counter[str] = Counter()  # state topic -> devices that it is read for

    def unchanged(self, topic: str, raw: bytes) -> Discovery | None:
        """What is known already of a topic that repeats itself; None where it says something new."""
        entry = self._entries.get(topic)
        if entry is None or entry.digest != sha256(raw).digest():
            return None
        entry.migrating = False
        driver = self._known[entry.key].driver
        return Discovery(drivers=(driver,) if driver else (), problems=entry.problems)

    def announce(self, topic: str, raw: bytes, announcement: Announcement) -> Discovery:
        """Take in a payload. Raises `InvalidPayload` where the school has too many topics already.

        An announcement without one valid component leaves what the topic said before as it was.
        """
        before = self._entries.get(topic)
        if before is None and len(self._entries) >= MAX_TOPICS:
            raise InvalidPayload(f"more than {MAX_TOPICS} discovery topics in {self._namespace}")
        free, problems = self._uncontested(topic, announcement.components)
        problems = [*announcement.problems, *problems]
        if not free and not announcement.withdrawn:
            return Discovery(problems=tuple(problems) or (Problem(topic, "empty", "the device has no components"),))
        self._check_size(topic, announcement.identity, len(free))
        had = len(before.announcement.components) if before is not None else 0
        if len(self._owners) - had + len(free) > MAX_SCHOOL_COMPONENTS:
            raise InvalidPayload(f"more than {MAX_SCHOOL_COMPONENTS} components in {self._namespace}")
        affected = set()
        if before is not None:
            problems += _omissions(topic, before.announcement, announcement)
            affected.add(self._drop(topic))
        affected |= self._take_over(free)
        key = self._key_of(announcement.identity)
        self._entries[topic] = _Entry(
            sha256(raw).digest(), key, replace(announcement, components=free), tuple(problems)
        )
        self._known[key].topics.add(topic)
        self._owners.update({(each.platform, each.unique_id): topic for each in free})
        return self._recomposed(affected | {key}, problems)

    def withdraw(self, topic: str) -> Discovery:
        """The topic says no more; its device is gone, or has fewer components."""
        return self._recomposed({self._drop(topic)}, ()) if topic in self._entries else Discovery()

    def migrate(self, topic: str) -> Discovery:
        """The topic's components are about to be announced elsewhere; until then they stay."""
        if (entry := self._entries.get(topic)) is not None:
            entry.migrating = True
        return Discovery()

    def _uncontested(self, topic: str, components: Iterable[Component]) -> tuple[tuple[Component, ...], list[Problem]]:
        """The components whose unique ids no other topic has, and a problem for each of the others."""
        free: dict[UniqueId, Component] = {}
        problems = []
        for component in components:
            unique = (component.platform, component.unique_id)
            owner = self._owners.get(unique, topic)
            if unique in free or (owner != topic and not self._entries[owner].migrating):
                where = "twice in this payload" if unique in free else f"also announced on {owner}"
                detail = (
                    f"{component.platform} {component.key[:60]!r}: unique_id {component.unique_id[:60]!r} is {where}"
                )
                problems.append(Problem(topic, "collision", detail))
            else:
                free[unique] = component
        return tuple(free.values()), problems

    def _check_size(self, topic: str, identity: Identity, count: int) -> None:
        """Raises `InvalidPayload` where `count` components on the topic would be too many for their device."""
        key = next((self._keys[token] for token in identity.tokens if token in self._keys), None)
        others = self._known[key].topics - {topic} if key is not None else ()
        if count + sum(len(self._entries[each].announcement.components) for each in others) > MAX_COMPONENTS:
            raise InvalidPayload(f"the device has more than {MAX_COMPONENTS} components")

    def _take_over(self, components: Iterable[Component]) -> set[str]:
        """Drop the migrating entries that had these components; the keys of their devices."""
        topics = {self._owners.get((each.platform, each.unique_id)) for each in components}
        return {self._drop(topic) for topic in topics if topic is not None}

    def _drop(self, topic: str) -> str:
        """Forget what a topic said; the key of its device."""
        entry = self._entries.pop(topic)
        self._known[entry.key].topics.discard(topic)
        for component in entry.announcement.components:
            self._owners.pop((component.platform, component.unique_id), None)
        return entry.key

    def _key_of(self, identity: Identity) -> str:
        """The key of the device with one of these tokens; else the first of them becomes one."""
        key = next((self._keys[token] for token in identity.tokens if token in self._keys), identity.tokens[0])
        known = self._known.setdefault(key, _Known())
        for token in identity.tokens:
            if self._keys.setdefault(token, key) == key:
                known.tokens.add(token)
        return key

    def _recomposed(self, keys: Iterable[str], problems: Iterable[Problem]) -> Discovery:
        drivers, removed = [], []
        for key in sorted(keys):
            known = self._known[key]
            before, known.driver = known.driver, self._composed(key, known)
            self._listeners.subtract(before.state_topics if before is not None else ())
            self._listeners.update(known.driver.state_topics if known.driver is not None else ())
            if known.driver is not None:
                drivers.append(known.driver)
            elif before is not None:
                removed.append(before.device.id)
            for topic in before.state_topics if before is not None else ():
                if not self._listeners[topic]:
                    del self._listeners[topic]
            if not known.topics:
                for token in known.tokens:
                    del self._keys[token]
                del self._known[key]
        return Discovery(drivers=tuple(drivers), removed=tuple(removed), problems=tuple(problems))

    def _composed(self, key: str, known: _Known) -> HomeAssistantDriver | None:
        announcements = [self._entries[topic].announcement for topic in sorted(known.topics)]
        components = [component for announcement in announcements for component in announcement.components]
        if not components:
            return None
        identity = _united([announcement.identity for announcement in announcements])
        composition = compose(components)
        device = Device(
            id=device_id(self._namespace, self._dialect, key),
            namespace=self._namespace,
            dialect=self._dialect,
            key=key,
            name=identity.name or identity.model or key,
            type=guess_type(identity, components, composition.properties),
            manufacturer=identity.manufacturer,
            model=identity.model,
            serial=identity.serial,
            firmware=identity.firmware,
            suggested_room=identity.suggested_room,
            properties=composition.properties,
        )
        rules = [component.availability for component in components if component.availability is not None]
        expiries = [each.parts.expires_after for each in components if each.parts.expires_after is not None]
        return HomeAssistantDriver(
            device,
            composition,
            AvailabilityMemory.over(rules, known.driver.availability if known.driver else None),
            stale_after=min(expiries, default=None),
            listeners=self._listeners,
        )


def _united(identities: list[Identity]) -> Identity:
    """Of each text the first that is not empty."""

    def first(*texts: str) -> str:
        return next((text for text in texts if text), "")

    return Identity(
        tokens=identities[0].tokens,
        name=first(*(each.name for each in identities)),
        manufacturer=first(*(each.manufacturer for each in identities)),
        model=first(*(each.model for each in identities)),
        serial=first(*(each.serial for each in identities)),
        firmware=first(*(each.firmware for each in identities)),
        suggested_room=first(*(each.suggested_room for each in identities)),
    )


def _omissions(topic: str, before: Announcement, now: Announcement) -> list[Problem]:
    """Components that an update leaves out without taking them back: gone, but the technician should know."""
    said = {component.key for component in now.components} | now.withdrawn
    return [
        Problem(topic, "component_omitted", f"{each.platform} {each.key[:60]!r} is no longer announced")
        for each in before.components
        if each.key not in said
    ]
