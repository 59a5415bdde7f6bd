from datetime import UTC, datetime, timedelta

import pytest

from devices.availability import OFFLINE_AFTER, Presence
from devices.device import Availability

NOW = datetime(2026, 11, 21, 7, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
SILENCE = timedelta(seconds=60)


@pytest.mark.parametrize(
    ("story", "expected"),
    [
        ("", Availability.UNKNOWN),
        ("heard", Availability.ONLINE),
        ("said_online", Availability.STALE),
        ("heard said_online", Availability.ONLINE),
        ("said_offline", Availability.UNKNOWN),
        ("said_offline wait", Availability.OFFLINE),
        ("heard said_offline", Availability.ONLINE),
        ("heard said_offline wait", Availability.OFFLINE),
        ("heard said_offline heard wait", Availability.ONLINE),
        ("heard said_offline wait heard", Availability.ONLINE),
        ("heard said_offline wait said_online", Availability.STALE),
        ("heard silence", Availability.STALE),
        ("heard silence heard", Availability.ONLINE),
        ("said_online silence", Availability.STALE),
        ("heard disconnected", Availability.STALE),
        ("heard said_offline disconnected wait", Availability.STALE),
        ("heard said_offline wait disconnected", Availability.OFFLINE),
        ("heard removed", Availability.OFFLINE),
        ("announced", Availability.UNKNOWN),
        ("announced said_online", Availability.ONLINE),
        ("said_online announced", Availability.ONLINE),
        ("announced said_online silence", Availability.STALE),
        ("announced said_offline wait said_online disconnected said_online", Availability.STALE),
        ("said_offline announced wait", Availability.OFFLINE),
    ],
)
def test_what_is_heard_and_said_makes_the_availability(story: str, expected: Availability) -> None:
    presence, now = Presence(stale_after=SILENCE), NOW
    for event in story.split():
        now += SECOND
        match event:
            case "heard":
                presence.heard(now)
            case "said_offline":
                presence.said_offline(now)
            case "announced":
                presence.announced(now)
            case "wait":
                now += OFFLINE_AFTER
                presence.tick(now)
            case "silence":
                now += SILENCE
                presence.tick(now)
            case method:
                getattr(presence, method)()
    assert presence.state is expected


def test_a_device_that_speaks_only_on_change_is_never_stale() -> None:
    presence = Presence(stale_after=None)
    presence.heard(NOW)
    assert presence.due is None
    assert not presence.tick(NOW + timedelta(days=1))


def test_repeated_offlines_do_not_put_the_decision_off() -> None:
    presence = Presence(stale_after=None)
    presence.heard(NOW)
    presence.said_offline(NOW)
    presence.said_offline(NOW + SECOND)
    assert presence.due == NOW + OFFLINE_AFTER
