"""Tokens that are revoked before they expire. Pure: times are given, memory is bounded."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from webrtc.shared.ids import BridgeId, ClientId, ParticipantId
from webrtc.shared.token import Token

MOST = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusion:
    """The tokens for `bridge` that were issued up to `before` are void. Whoever is let in again gets a later one.

    `participant`: only the tokens of this one. `client`: only those of this one, and of the clients named after it ("x"
    covers "x-screen"). `until`: by then all these tokens have expired by themselves.
    """

    bridge: BridgeId
    participant: ParticipantId | None = None
    client: ClientId | None = None
    before: datetime  # aware, UTC
    until: datetime  # aware, UTC

    def covers(self, token: Token) -> bool:
        claims = token.claims
        return (
            token.issued <= self.before
            and claims.bridge == self.bridge
            and self.participant in (None, claims.participant)
            and (self.client is None or claims.client == self.client or claims.client.startswith(f"{self.client}-"))
        )


class Exclusions:
    """Those that still matter. Too many of one bridge become one for the whole bridge: its clients fetch new tokens."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._of: dict[BridgeId, dict[tuple[ParticipantId | None, ClientId | None], Exclusion]] = {}

    def __len__(self) -> int:
        return sum(len(each) for each in self._of.values())

    def add(self, exclusion: Exclusion, now: datetime) -> None:
        self._forget(now)
        mine = self._of.setdefault(exclusion.bridge, {})
        key = (exclusion.participant, exclusion.client)
        known = mine.get(key)
        mine[key] = exclusion if known is None else _both(known, exclusion)
        if len(self) > self._most:
            self._merge(max(self._of, key=lambda bridge: len(self._of[bridge])))

    def cover(self, token: Token) -> bool:
        return any(each.covers(token) for each in self._of.get(token.claims.bridge, {}).values())

    def _merge(self, bridge: BridgeId) -> None:
        """Rather void more than forget one."""
        merged = next(iter(self._of[bridge].values()))
        for each in self._of[bridge].values():
            merged = _both(merged, each)
        self._of[bridge] = {(None, None): replace(merged, participant=None, client=None)}

    def _forget(self, now: datetime) -> None:
        kept = {bridge: dict(_lasting(each, now)) for bridge, each in self._of.items()}
        self._of = {bridge: each for bridge, each in kept.items() if each}


def _lasting(
    exclusions: dict[tuple[ParticipantId | None, ClientId | None], Exclusion], now: datetime
) -> Iterator[tuple[tuple[ParticipantId | None, ClientId | None], Exclusion]]:
    return ((key, each) for key, each in exclusions.items() if each.until > now)


def _both(one: Exclusion, other: Exclusion) -> Exclusion:
    return replace(one, before=max(one.before, other.before), until=max(one.until, other.until))
