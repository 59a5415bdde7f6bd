"""Bearer tokens: who may publish into or play from which bridge (JWT with HS256, RFC 7519; key: the node's secret)."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import jwt

from webrtc.errors import InvalidToken, TokenNotAllowed
from webrtc.shared.ids import BridgeId, ClientId, ParticipantId

AUDIENCE = "bridge"
ALGORITHM = "HS256"
MAX_LENGTH = 2048
LATEST = 1e11  # seconds since 1970; a later time is taken for none
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
    epoch: str | None = None  # the run of the node that the token is good at; None: any node that has the secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """One of ours that has not expired. `issued`: an `Exclusion` of a later time voids it."""

    claims: Claims
    issued: datetime  # aware, UTC


def issue(claims: Claims, *, secret: str, now: datetime, lifetime: timedelta) -> str:
    """A token that `verify` accepts until `now + lifetime`. `now`: when the client was known to have the right."""
    return jwt.encode(
        {
            "aud": AUDIENCE,
            "bridge": claims.bridge,
            "participant": claims.participant,
            "client": claims.client,
            "publish": claims.publish,
            "subscribe": claims.subscribe,
            **({} if claims.epoch is None else {"epoch": claims.epoch}),
            "iat": now.timestamp(),
            "exp": int((now + lifetime).timestamp()),
        },
        secret,
        algorithm=ALGORITHM,
    )


def verify(token: str, *, secret: str, bridge: BridgeId, epoch: str, now: datetime) -> Token:
    """What `token` allows on `bridge` of the node whose run is `epoch`.

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
            options={"verify_exp": False, "verify_iat": False, "require": ["exp", "iat", "aud"]},
        )
    except (jwt.InvalidTokenError, UnicodeError, RecursionError) as error:
        raise InvalidToken("the token is not one of ours") from error
    read = _read(claims)
    issued, expires = claims["iat"], claims["exp"]
    if type(issued) not in (int, float) or not 0 <= issued < LATEST:
        raise InvalidToken("the token does not say when it was issued")
    if type(expires) is not int or expires <= now.astimezone(UTC).timestamp():
        raise InvalidToken("the token has expired")
    if read.bridge != bridge:
        raise TokenNotAllowed("the token is for another lesson")
    if read.epoch not in (None, epoch):
        raise InvalidToken("the token is for the lesson at another node, or at one that was restarted since")
    return Token(claims=read, issued=datetime.fromtimestamp(issued, UTC))


def _read(claims: dict[str, object]) -> Claims:
    names = [claims.get(name) for name in ("bridge", "participant", "client")]
    bridge, participant, client = (name if isinstance(name, str) and _NAME.fullmatch(name) else "" for name in names)
    publish, subscribe = claims.get("publish"), claims.get("subscribe")
    epoch = claims.get("epoch")
    if not (epoch is None or isinstance(epoch, str)):
        raise InvalidToken("the token's claims are not of the agreed form")
    if not (bridge and participant and client) or type(publish) is not bool or type(subscribe) is not bool:
        raise InvalidToken("the token's claims are not of the agreed form")
    return Claims(
        bridge=BridgeId(bridge),
        participant=ParticipantId(participant),
        client=ClientId(client),
        publish=publish,
        subscribe=subscribe,
        epoch=epoch,
    )
