"""Bearer tokens: who may publish into or play from which bridge (JWT with HS256, RFC 7519; key: the node's secret)."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import jwt

from webrtc.errors import InvalidToken, TokenNotAllowed
from webrtc.ids import BridgeId, ClientId, ParticipantId

AUDIENCE = "bridge"
ALGORITHM = "HS256"
MAX_LENGTH = 2048
MIN_SECRET_LENGTH = 32  # bytes; RFC 7518 3.2

_NAME = re.compile(r"[\w.:@-]{1,128}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What a token allows: `client` of `participant` may publish to, or subscribe to, `bridge`."""

    bridge: BridgeId
    participant: ParticipantId
    client: ClientId
    publish: bool
    subscribe: bool


def issue(claims: Claims, *, secret: str, now: datetime, lifetime: timedelta) -> str:
    """A token that `verify` accepts until `now + lifetime`."""
    return jwt.encode(
        {
            "aud": AUDIENCE,
            "bridge": claims.bridge,
            "participant": claims.participant,
            "client": claims.client,
            "publish": claims.publish,
            "subscribe": claims.subscribe,
            "exp": int((now + lifetime).timestamp()),
        },
        secret,
        algorithm=ALGORITHM,
    )


def verify(token: str, *, secret: str, bridge: BridgeId, now: datetime) -> Claims:
    """What `token` allows on `bridge`.

    Raises `InvalidToken` where it is not ours or no longer good, `TokenNotAllowed` where it is for another bridge.
    """
    if len(token) > MAX_LENGTH:
        raise InvalidToken("the token is too long")
    try:
        claims = jwt.decode(
            token,
            secret,
            algorithms=[ALGORITHM],
            audience=AUDIENCE,
            # Its own check would read the clock of the machine instead of `now`.
            options={"verify_exp": False, "require": ["exp", "aud"]},
        )
    except (jwt.InvalidTokenError, UnicodeError, RecursionError) as error:
        raise InvalidToken("the token is not one of ours") from error
    read = _read(claims)
    expires = claims["exp"]
    if type(expires) is not int or expires <= now.astimezone(UTC).timestamp():
        raise InvalidToken("the token has expired")
    if read.bridge != bridge:
        raise TokenNotAllowed("the token is for another lesson")
    return read


def _read(claims: dict[str, object]) -> Claims:
    names = [claims.get(name) for name in ("bridge", "participant", "client")]
    bridge, participant, client = (name if isinstance(name, str) and _NAME.fullmatch(name) else "" for name in names)
    publish, subscribe = claims.get("publish"), claims.get("subscribe")
    if not (bridge and participant and client) or type(publish) is not bool or type(subscribe) is not bool:
        raise InvalidToken("the token's claims are not of the agreed form")
    return Claims(
        bridge=BridgeId(bridge),
        participant=ParticipantId(participant),
        client=ClientId(client),
        publish=publish,
        subscribe=subscribe,
    )
