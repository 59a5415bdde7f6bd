"""Which tokens are void, by rule; `tests/webrtc/node/test_control.py` has it over HTTP."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from webrtc.shared.exclusion import Exclusion, Exclusions
from webrtc.shared.ids import BridgeId, ClientId, ParticipantId
from webrtc.shared.token import Claims, Token

NOW = datetime(2026, 11, 29, 7, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
LIFE = timedelta(minutes=5)


def token(client: str = "login-tab", *, participant: str = "viewer", bridge: str = "lesson", age_s: int = 1) -> Token:
    claims = Claims(
        bridge=BridgeId(bridge),
        participant=ParticipantId(participant),
        client=ClientId(client),
        publish=False,
        subscribe=True,
    )
    return Token(claims=claims, issued=NOW - age_s * SECOND)


def exclusion(participant: str | None = None, client: str | None = None, bridge: str = "lesson") -> Exclusion:
    return Exclusion(
        bridge=BridgeId(bridge),
        participant=None if participant is None else ParticipantId(participant),
        client=None if client is None else ClientId(client),
        before=NOW,
        until=NOW + LIFE,
    )


@pytest.mark.parametrize(
    ("given", "excluded", "void"),
    [
        (token(), exclusion("viewer", "login"), True),
        (token(), exclusion("viewer"), True),
        (token(), exclusion(None, "login"), True),
        (token(), exclusion(), True),
        (token("login"), exclusion("viewer", "login"), True),
        (token(age_s=0), exclusion("viewer", "login"), True),
        (token(age_s=-1), exclusion("viewer", "login"), False),  # let in again since
        (token("login2-tab"), exclusion("viewer", "login"), False),
        (token("log"), exclusion("viewer", "login"), False),
        (token(participant="other"), exclusion("viewer"), False),
        (token(bridge="other"), exclusion(), False),
    ],
)
def test_token_is_void_if_it_is_older_and_meant(given: Token, excluded: Exclusion, void: bool) -> None:
    exclusions = Exclusions()
    exclusions.add(excluded, NOW)
    assert exclusions.cover(given) is void


def test_exclusion_is_forgotten_once_the_tokens_have_expired() -> None:
    exclusions = Exclusions()
    exclusions.add(exclusion("a"), NOW)
    exclusions.add(exclusion("b"), NOW + LIFE - SECOND)
    assert len(exclusions) == 2
    exclusions.add(replace(exclusion("c"), until=NOW + 2 * LIFE), NOW + LIFE)
    assert len(exclusions) == 1


def test_an_older_word_does_not_undo_a_newer_one() -> None:
    exclusions = Exclusions()
    exclusions.add(exclusion("viewer"), NOW)
    exclusions.add(replace(exclusion("viewer"), before=NOW - 10 * SECOND, until=NOW + SECOND), NOW)
    assert exclusions.cover(token())
    assert len(exclusions) == 1


def test_memory_is_bounded_and_nothing_excluded_comes_back() -> None:
    exclusions = Exclusions(most=100)
    for number in range(1000):
        exclusions.add(exclusion(f"p{number}", bridge="busy"), NOW)
        exclusions.add(exclusion("viewer", bridge="quiet"), NOW)
        assert len(exclusions) <= 100
    assert all(exclusions.cover(token(participant=f"p{number}", bridge="busy")) for number in range(1000))
    assert exclusions.cover(token(bridge="quiet"))
    assert not exclusions.cover(token(participant="another", bridge="quiet"))
