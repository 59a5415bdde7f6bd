"""Passwords: argon2id (RFC 9106), computed off the event loop, a few at a time."""

import asyncio

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from controller.people.errors import InvalidAccount

MINIMUM_LENGTH = 10
MAXIMUM_LENGTH = 200  # a longer one only costs us time


class Passwords:
    """Hashes and verifies. At most `parallel` at once: each takes about 64 MiB and 50 ms."""

    def __init__(self, hasher: PasswordHasher | None = None, *, parallel: int = 2) -> None:
        # RFC 9106 4, second recommended option: 64 MiB, 3 passes, 4 lanes.
        self._hasher = hasher or PasswordHasher(time_cost=3, memory_cost=65536, parallelism=4, type=Type.ID)
        self._slots = asyncio.Semaphore(parallel)
        self._nobody: str | None = None

    async def hash(self, password: str) -> str:
        """The string to store. Raises `InvalidAccount` for a password that is too short or too long."""
        if not MINIMUM_LENGTH <= len(password) <= MAXIMUM_LENGTH:
            raise InvalidAccount(f"a password has {MINIMUM_LENGTH} to {MAXIMUM_LENGTH} characters")
        async with self._slots:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def verify(self, stored: str | None, password: str) -> bool:
        """Whether `password` is the one. Takes as long with no stored hash, so that names cannot be probed."""
        if len(password) > MAXIMUM_LENGTH:
            return False
        async with self._slots:
            return await asyncio.to_thread(self._verify, stored, password)

    def outdated(self, stored: str) -> bool:
        """Whether `stored` was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(stored)

    def _verify(self, stored: str | None, password: str) -> bool:
        if self._nobody is None:
            self._nobody = self._hasher.hash("nobody has this password")
        try:
            return self._hasher.verify(stored or self._nobody, password) and stored is not None
        except (VerifyMismatchError, InvalidHashError):
            return False
