from dataclasses import replace
from datetime import UTC, datetime, timedelta

import jwt
import pytest

from webrtc.errors import InvalidToken, TokenNotAllowed
from webrtc.shared.ids import BridgeId, ClientId, ParticipantId
from webrtc.shared.token import Claims, Token, issue, verify

SECRET = "a secret of the node, long enough for HS256"
NOW = datetime(2026, 11, 21, 7, 0, tzinfo=UTC)
CLAIMS = Claims(
    bridge=BridgeId("lesson-1"),
    participant=ParticipantId("room-a"),
    client=ClientId("display-1"),
    publish=True,
    subscribe=False,
)
GOOD = {
    "aud": "bridge",
    "bridge": "lesson-1",
    "participant": "room-a",
    "client": "display-1",
    "publish": True,
    "subscribe": False,
    "iat": NOW.timestamp(),
    "exp": int(NOW.timestamp()) + 300,
}


def _issue(lifetime_s: int = 300, secret: str = SECRET) -> str:
    return issue(CLAIMS, secret=secret, now=NOW, lifetime=timedelta(seconds=lifetime_s))


def _verify(token: str, bridge: str = "lesson-1") -> Token:
    return verify(token, secret=SECRET, bridge=BridgeId(bridge), epoch="this run", now=NOW)


def test_token_gives_back_what_was_issued() -> None:
    assert _verify(_issue()) == Token(claims=CLAIMS, issued=NOW)


@pytest.mark.parametrize("epoch", ["this run", "another run"])
def test_token_of_a_run_is_good_at_that_run_only(epoch: str) -> None:
    claims = replace(CLAIMS, epoch=epoch)
    token = issue(claims, secret=SECRET, now=NOW, lifetime=timedelta(minutes=5))
    if epoch == "this run":
        assert _verify(token).claims == claims
        return
    with pytest.raises(InvalidToken, match="restarted"):
        _verify(token)


def test_token_carries_the_agreed_claims() -> None:
    token = _issue()
    claims = jwt.decode(
        token, SECRET, algorithms=["HS256"], audience="bridge", options={"verify_exp": False, "verify_iat": False}
    )
    assert claims == GOOD


def test_token_of_another_bridge_is_not_allowed() -> None:
    with pytest.raises(TokenNotAllowed):
        _verify(_issue(), bridge="lesson-2")


@pytest.mark.parametrize("lifetime_s", [0, -1, -86400])
def test_expired_token_is_invalid(lifetime_s: int) -> None:
    with pytest.raises(InvalidToken, match="expired"):
        _verify(_issue(lifetime_s))


def test_token_with_another_secret_is_invalid() -> None:
    with pytest.raises(InvalidToken):
        _verify(_issue(secret="b secret of a node, long enough for HS256"))


@pytest.mark.parametrize(
    "changed",
    [
        {"aud": "elsewhere"},
        {"exp": None},
        {"exp": "tomorrow"},
        {"exp": True},
        {"exp": 1e400},
        {"iat": None},
        {"iat": "now"},
        {"iat": True},
        {"iat": -1},
        {"iat": 1e300},
        {"epoch": 7},
        {"bridge": None},
        {"bridge": ["lesson-1"]},
        {"participant": ""},
        {"participant": "a\nb"},
        {"client": 7},
        {"client": "x" * 129},
        {"publish": "yes"},
        {"subscribe": None},
    ],
)
def test_token_with_wrong_claims_is_invalid(changed: dict[str, object]) -> None:
    claims = {name: value for name, value in (GOOD | changed).items() if value is not None}
    with pytest.raises(InvalidToken):
        _verify(jwt.encode(claims, SECRET, algorithm="HS256"))


@pytest.mark.parametrize(
    "text",
    ["", ".", "..", "a.b.c", "é.é.é", "\ud800", "x" * 100_000, jwt.encode(GOOD, "", algorithm="none"), "Bearer x"],
)
def test_anything_else_is_invalid(text: str) -> None:
    with pytest.raises(InvalidToken):
        _verify(text)
