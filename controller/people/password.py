"""Passwords: normalized, checked, and kept as argon2id (RFC 9106), computed off the event loop."""

from collections.abc import Iterable
from enum import StrEnum

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from controller.people.hashing import HashingQueue
from rooms.people.errors import WeakPassword
from rooms.people.password_rules import MAXIMUM_LENGTH, normalized, weakness


class Match(StrEnum):
    NO = "no"
    YES = "yes"
    OUTDATED = "outdated"  # yes; and what is stored should be made anew


class Passwords:
    """Hashes and verifies, few at a time: each takes 64 MiB and about 0.1 s of a core."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        # 64 MiB and 2 passes: above OWASP's strongest (46 MiB, 1 pass). One lane: more would not cost a guesser more,
        # but take all cores of a machine that forwards media.
        self._hasher = hasher or PasswordHasher(time_cost=2, memory_cost=65536, parallelism=1, type=Type.ID)
        self._queue = HashingQueue()
        self._nobody: str | None = None

    async def hash(self, password: str, *, names: Iterable[str] = ()) -> str:
        """The string to store. Raises `WeakPassword`, also for one that is made of the account's `names`."""
        found = weakness(normalized(password), names)
        if found is not None:
            raise WeakPassword(found)
        return await self.renewed(password)

    async def verify(self, stored: str | None, password: str, *, first: bool = False) -> Match:
        """Whether `password` is the one. Takes as long with no stored hash, so that names cannot be probed.

        `first`: of all that wait. Raises `LoginsBusy`.
        """
        if max(len(password), len(normalized(password))) > MAXIMUM_LENGTH:
            return Match.NO
        return await self._queue.run(lambda: self._match(stored, password), first=first)

    async def renewed(self, password: str) -> str:
        """The string to store for a password that was checked before. Raises `LoginsBusy`."""
        return await self._queue.run(lambda: self._hasher.hash(normalized(password)), first=True)

    @property
    def idle(self) -> bool:
        """Whether nobody would wait for what is done now."""
        return self._queue.idle

    def _match(self, stored: str | None, password: str) -> Match:
        """What was stored before passwords were normalized is the text as it was typed."""
        if self._nobody is None:
            self._nobody = self._hasher.hash("nobody has this password")
        now = normalized(password)
        if self._verify(stored or self._nobody, now):
            right, outdated = True, self._hasher.check_needs_rehash(stored or self._nobody)
        else:
            right = outdated = password != now and self._verify(stored or self._nobody, password)
        if stored is None or not right:
            return Match.NO
        return Match.OUTDATED if outdated else Match.YES

    def _verify(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerifyMismatchError, InvalidHashError):
            return False
