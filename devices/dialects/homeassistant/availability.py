"""A device's availability as Home Assistant's discovery describes it: topics, payloads and a mode."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self

from devices.device import Availability
from devices.dialects.homeassistant.fields import Fields
from devices.dialects.homeassistant.payload import Payload
from devices.dialects.homeassistant.template import Template
from devices.errors import InvalidPayload


class Mode(StrEnum):
    """How several availability topics make one availability."""

    LATEST = "latest"
    ALL = "all"
    ANY = "any"


@dataclass(frozen=True, slots=True)
class Source:
    """One availability topic. A payload that is neither of the two says nothing."""

    topic: str
    template: Template
    available: str
    not_available: str

    def read(self, payload: Payload) -> bool | None:
        text = self.template.render(payload)
        return text == self.available if text in (self.available, self.not_available) else None


@dataclass(frozen=True, slots=True)
class Rule:
    """A component's availability: a list under `availability`, or one `availability_topic`."""

    sources: tuple[Source, ...]
    mode: Mode = Mode.LATEST

    @classmethod
    def of(cls, fields: Fields) -> Self | None:
        """None where nothing is said of it. Raises `InvalidPayload`."""
        sources = [_source(each, "topic", each.template("value_template")) for each in fields.objects("availability")]
        if "availability_topic" in fields:
            sources.append(_source(fields, "availability_topic", fields.template("availability_template")))
        if not sources:
            return None
        try:
            mode = Mode(fields.text("availability_mode", Mode.LATEST))
        except ValueError as error:
            raise InvalidPayload("availability_mode: is not latest, all or any") from error
        return cls(tuple(sources), mode)


def _source(fields: Fields, topic_key: str, template: Template) -> Source:
    return Source(
        fields.required_topic(topic_key),
        template,
        fields.text("payload_available", "online"),
        fields.text("payload_not_available", "offline"),
    )


@dataclass(slots=True)
class AvailabilityMemory:
    """What the availability topics of one device said last, which a mode over several of them needs."""

    rules: tuple[Rule, ...] = ()
    _said: dict[Source, bool] = field(default_factory=dict)
    _latest: dict[Rule, bool] = field(default_factory=dict)

    @classmethod
    def over(cls, rules: Iterable[Rule], before: Self | None) -> Self:
        """For these rules, with what `before` heard on the same topics."""
        memory = cls(tuple(dict.fromkeys(rules)))
        if before is not None:
            sources = {source for rule in memory.rules for source in rule.sources}
            memory._said = {source: said for source, said in before._said.items() if source in sources}
            memory._latest = {rule: said for rule, said in before._latest.items() if rule in memory.rules}
        return memory

    @property
    def topics(self) -> frozenset[str]:
        return frozenset(source.topic for rule in self.rules for source in rule.sources)

    def readings(self, topic: str) -> int:
        """How many sources are on the topic."""
        return sum(source.topic == topic for rule in self.rules for source in rule.sources)

    def take(self, topic: str, payload: Payload) -> Availability | None:
        """What a message on one of the topics makes of the device; None where it says nothing."""
        heard = False
        for rule in self.rules:
            for source in rule.sources:
                if source.topic == topic and (said := source.read(payload)) is not None:
                    self._said[source] = self._latest[rule] = said
                    heard = True
        return self._overall() if heard else None

    def _overall(self) -> Availability | None:
        """Online while one of its components is; offline once all are."""
        states = [self._state(rule) for rule in self.rules]
        if True in states:
            return Availability.ONLINE
        return Availability.OFFLINE if states and None not in states else None

    def _state(self, rule: Rule) -> bool | None:
        if rule.mode is Mode.LATEST:
            return self._latest.get(rule)
        said = [self._said.get(source) for source in rule.sources]
        decisive = rule.mode is Mode.ANY  # one yes is enough for `any`, one no for `all`
        if decisive in said:
            return decisive
        return None if None in said else not decisive
