"""Codes on the screens of displays that have no room: a technician of a room's school types one in.

Pure: the clock is given, codes live in memory and their number is bounded. A code is worth one pairing.
"""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from controller.displays.errors import PairingCodeNotFound, PairingFull
from controller.people.throttle import Throttle

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # no 0 O 1 I L
CODE_LENGTH = 6  # 31^6 = 887 million; with 500 waiting and 10 tries, then 1 per 10 s, a guess takes weeks
CODE_LIFE = timedelta(minutes=10)
WAITING_LIMIT = 500
WAITING_LIMIT_PER_ADDRESS = 50  # one network cannot keep all others from being paired


@dataclass(frozen=True, slots=True, kw_only=True)
class PairingOffer:
    """A code on an unpaired display's screen."""

    code: str
    expires: datetime  # aware, UTC


@dataclass(frozen=True, slots=True)
class _Waiting:
    offer: PairingOffer
    tell: Callable[[str], None]
    by: str


class PairingCodes:
    """The codes that are on screens now. `tell` of an offer is called once, with the display's new credential."""

    def __init__(self, *, clock: Callable[[], datetime], choice: Callable[[str], str] = secrets.choice) -> None:
        self._clock = clock
        self._choice = choice
        self._waiting: dict[str, _Waiting] = {}
        self._taken: set[str] = set()  # being paired now
        self._attempts = Throttle(burst=10, interval=timedelta(seconds=10), clock=clock, capacity=1000)

    def __len__(self) -> int:
        return len(self._waiting)

    def offer(self, tell: Callable[[str], None], by: str) -> PairingOffer:
        """A new code for a display in the network `by`. Raises `PairingFull`."""
        now = self._clock()
        for code in [code for code, each in self._waiting.items() if each.offer.expires <= now]:
            del self._waiting[code]
        same = sum(each.by == by for each in self._waiting.values())
        if len(self._waiting) >= WAITING_LIMIT or same >= WAITING_LIMIT_PER_ADDRESS:
            raise PairingFull("too many displays are waiting to be paired")
        code = self._new_code()
        offer = PairingOffer(code=code, expires=now + CODE_LIFE)
        self._waiting[code] = _Waiting(offer, tell, by)
        return offer

    def left(self, offer: PairingOffer) -> timedelta:
        """How long the code is still good."""
        return max(offer.expires - self._clock(), timedelta(0))

    def withdraw(self, offer: PairingOffer) -> None:
        """The display went away or shows another code. Idempotent."""
        self._waiting.pop(offer.code, None)

    @contextmanager
    def taken(self, code: str, by: str) -> Iterator[Callable[[str], None]]:
        """The `tell` of the display that shows `code`, which is used up by then; it stays good if the block raises.

        Raises `PairingCodeNotFound`, `TooManyAttempts` (of `by`).
        """
        self._attempts.attempt(by)
        code = code.strip().upper()
        waiting = self._waiting.get(code)
        if waiting is None or waiting.offer.expires <= self._clock() or code in self._taken:
            raise PairingCodeNotFound("no display shows this code now")
        self._attempts.refund(by)
        self._taken.add(code)
        try:
            yield waiting.tell
            self._waiting.pop(code, None)
        finally:
            self._taken.discard(code)

    def _new_code(self) -> str:
        while (code := "".join(self._choice(ALPHABET) for _ in range(CODE_LENGTH))) in self._waiting:
            pass
        return code
