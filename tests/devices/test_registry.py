from datetime import UTC, datetime, timedelta

import pytest

from devices.changes import ChangeKind
from devices.device import Availability, Report, Reported, Value
from devices.dialects.base import Driver
from devices.dialects.native import NativeDialect, describe
from devices.errors import DeviceNotFound
from devices.mqtt.message import Message
from devices.registry import Registry
from tests.devices.nativedevice import POWER, SCHOOL, described

NOW = datetime(2026, 11, 21, 7, 0, tzinfo=UTC)
LATER = NOW + timedelta(seconds=1)
DEVICE = described()
TOPIC = f"sc/1/{SCHOOL}/r1/projector/desc"


def driver() -> Driver:
    message = Message(topic=TOPIC, payload=describe(DEVICE), retained=True, received=NOW)
    [found] = NativeDialect().discover(SCHOOL, message).drivers
    return found


def report(
    value: Value | None = None,
    *,
    retained: bool = False,
    availability: Availability | None = None,
    received: datetime = NOW,
) -> Report:
    values = {} if value is None else {POWER: value}
    return Report(device_id=DEVICE.id, values=values, availability=availability, retained=retained, received=received)


def says_unknown(*, retained: bool = False) -> Report:
    return Report(device_id=DEVICE.id, unknown=frozenset({POWER}), retained=retained, received=LATER)


@pytest.fixture
def registry() -> Registry:
    registry = Registry()
    assert registry.discovered(driver(), TOPIC, b"1") == (ChangeKind.DISCOVERED,)
    return registry


def value(registry: Registry) -> Reported:
    return registry.reported(registry.entry(DEVICE.id))[POWER]


def test_a_live_value_is_fresh_and_told_of_when_it_changes(registry: Registry) -> None:
    assert registry.apply(report("on")) == (ChangeKind.REPORTED, ChangeKind.AVAILABILITY)
    assert registry.apply(report("on", received=LATER)) == ()
    assert value(registry) == Reported(value="on", received=LATER, fresh=True)
    assert registry.apply(report("off", received=LATER)) == (ChangeKind.REPORTED,)


def test_a_retained_value_is_not_fresh_and_never_replaces_a_fresh_one(registry: Registry) -> None:
    assert registry.apply(report("on", retained=True)) == (ChangeKind.REPORTED,)
    assert value(registry) == Reported(value="on", received=NOW, fresh=False)
    registry.apply(report("off", received=LATER))
    assert registry.apply(report("on", retained=True, received=LATER)) == ()
    assert value(registry) == Reported(value="off", received=LATER, fresh=True)


def test_a_value_that_the_device_does_not_know_any_more_is_forgotten(registry: Registry) -> None:
    registry.apply(report("on"))
    assert registry.apply(says_unknown()) == (ChangeKind.REPORTED,)
    assert registry.reported(registry.entry(DEVICE.id)) == {}
    assert registry.fresh(registry.entry(DEVICE.id), POWER) is None
    assert registry.apply(says_unknown()) == ()
    assert registry.entry(DEVICE.id).presence.state is Availability.ONLINE  # it is there, and says so


def test_a_retained_unknown_replaces_what_was_kept_and_never_what_was_heard(registry: Registry) -> None:
    registry.apply(report("on", retained=True))
    assert registry.apply(says_unknown(retained=True)) == (ChangeKind.REPORTED,)
    registry.apply(report("on"))
    assert registry.apply(says_unknown(retained=True)) == ()
    assert value(registry).value == "on"


def test_nothing_is_fresh_after_the_broker_was_lost(registry: Registry) -> None:
    registry.apply(report("on"))
    assert registry.disconnected() == [DEVICE.id]
    assert not value(registry).fresh
    assert registry.fresh(registry.entry(DEVICE.id), POWER) is None
    assert registry.apply(report("on", received=LATER)) == (ChangeKind.REPORTED, ChangeKind.AVAILABILITY)
    assert registry.fresh(registry.entry(DEVICE.id), POWER) == ("on", LATER)


def test_nothing_is_fresh_after_the_device_was_offline(registry: Registry) -> None:
    registry.apply(report("on"))
    registry.apply(report(availability=Availability.OFFLINE))
    assert registry.due is not None
    assert registry.tick(registry.due) == [DEVICE.id]
    registry.apply(report(availability=Availability.ONLINE, received=LATER))
    assert registry.entry(DEVICE.id).presence.state is Availability.ONLINE
    assert not value(registry).fresh


def test_flapping_keeps_the_schedule_small(registry: Registry) -> None:
    now = NOW
    for _ in range(1_000):
        now += timedelta(seconds=1)
        registry.apply(report(availability=Availability.OFFLINE, received=now))
        registry.apply(report("on", received=now))
        registry.tick(now)
    assert len(registry._due) <= 2


def test_an_unclaimed_device_that_takes_itself_back_is_gone(registry: Registry) -> None:
    assert registry.count(SCHOOL) == 1
    assert registry.took_back(DEVICE.id) == (ChangeKind.REMOVED,)
    assert registry.count(SCHOOL) == 0
    with pytest.raises(DeviceNotFound):
        registry.entry(DEVICE.id)


def test_a_claimed_device_that_takes_itself_back_stays_offline_and_deaf(registry: Registry) -> None:
    registry.entry(DEVICE.id).room = "4a"
    assert registry.took_back(DEVICE.id) == (ChangeKind.UPDATED, ChangeKind.AVAILABILITY)
    assert registry.apply(report("on")) == ()
    assert registry.entry(DEVICE.id).presence.state is Availability.OFFLINE
    assert registry.discovered(driver(), TOPIC, b"1") == (ChangeKind.UPDATED,)
    assert registry.apply(report("on")) == (ChangeKind.REPORTED, ChangeKind.AVAILABILITY)


def test_a_description_that_says_the_same_changes_nothing(registry: Registry) -> None:
    assert registry.discovered(driver(), TOPIC, b"1") == ()
    assert registry.discovered(driver(), TOPIC, b"2") == (ChangeKind.UPDATED,)


def test_restored_values_of_properties_that_are_gone_are_dropped(registry: Registry) -> None:
    old = Reported(value="on", received=NOW, fresh=True)
    registry.restore(DEVICE.id, room="4a", reported={POWER: old, type(POWER)("gone"): old})
    entry = registry.entry(DEVICE.id)
    assert registry.reported(entry) == {POWER: Reported(value="on", received=NOW, fresh=False)}
    assert (entry.room, entry.presence.state, entry.presence.last_heard) == ("4a", Availability.UNKNOWN, NOW)


def test_many_that_fall_silent_at_once_are_told_of_in_parts() -> None:
    registry = Registry()
    for number in range(25):
        payload = describe(described(room=f"r{number}"), interval_s=10)
        topic = f"sc/1/{SCHOOL}/r{number}/projector/desc"
        message = Message(topic=topic, payload=payload, retained=True, received=NOW)
        [found] = NativeDialect().discover(SCHOOL, message).drivers
        registry.discovered(found, topic, payload)
        registry.heard(found.device.id, NOW)
    late = NOW + timedelta(seconds=25)
    assert [len(registry.tick(late, at_most=10)) for _ in range(4)] == [10, 10, 5, 0]


def test_what_was_not_read_makes_old_what_was_reported(registry: Registry) -> None:
    registry.apply(report("on"))
    assert registry.missed(DEVICE.id) == (ChangeKind.REPORTED,)
    assert value(registry) == Reported(value="on", received=NOW, fresh=False)
    assert registry.apply(report("off", retained=True, received=LATER)) == (ChangeKind.REPORTED,)
    assert value(registry).value == "off"
    registry.forget(DEVICE.id)
    assert registry.missed(DEVICE.id) == ()
