"""How a display gets into a room: it shows a code, a technician of the room's school types it in.

Pure: the clock is given, codes live in memory and their number is bounded. A code is worth one pairing.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from controller.errors import ControllerError
from controller.people.throttle import Throttle

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # no 0 O 1 I L
CODE_LENGTH = 6  # 31^6 = 887 million; with 500 waiting and 10 tries, then 1 per 10 s, a guess takes weeks
CODE_LIFE = timedelta(minutes=10)
WAITING_LIMIT = 500


class PairingCodeNotFound(ControllerError, LookupError):
    pass


class PairingFull(ControllerError, ConnectionError):
    """Too many unpaired displays are waiting; a ConnectionError because trying again later helps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PairingOffer:
    """A code on an unpaired display's screen."""

    code: str
    expires: datetime  # aware, UTC


class Pairing:
    """The codes that are on screens now. `tell` of an offer is called once, with the display's new credential."""

    def __init__(self, *, clock: Callable[[], datetime], choice: Callable[[str], str] = secrets.choice) -> None:
        self._clock = clock
        self._choice = choice
        self._waiting: dict[str, tuple[PairingOffer, Callable[[str], None]]] = {}
        self._attempts = Throttle(burst=10, interval=timedelta(seconds=10), clock=clock, capacity=1000)

    def __len__(self) -> int:
        return len(self._waiting)

    def offer(self, tell: Callable[[str], None]) -> PairingOffer:
        """A new code. Raises `PairingFull`."""
        now = self._clock()
        for code in [code for code, (offer, _) in self._waiting.items() if offer.expires <= now]:
            del self._waiting[code]
        if len(self._waiting) >= WAITING_LIMIT:
            raise PairingFull(f"{WAITING_LIMIT} displays are waiting to be paired")
        code = self._new_code()
        offer = PairingOffer(code=code, expires=now + CODE_LIFE)
        self._waiting[code] = (offer, tell)
        return offer

    def withdraw(self, offer: PairingOffer) -> None:
        """The display went away or shows another code. Idempotent."""
        self._waiting.pop(offer.code, None)

    def take(self, code: str, by: str) -> Callable[[str], None]:
        """The `tell` of the display that shows `code`. Raises `PairingCodeNotFound`; `TooManyAttempts` counted for `by`."""
        self._attempts.attempt(by)
        offer, tell = self._waiting.pop(code.strip().upper(), (None, None))
        if offer is None or tell is None or offer.expires <= self._clock():
            raise PairingCodeNotFound("no display shows this code now")
        self._attempts.forgive(by)
        return tell

    def _new_code(self) -> str:
        while (code := "".join(self._choice(ALPHABET) for _ in range(CODE_LENGTH))) in self._waiting:
            pass
        return code
