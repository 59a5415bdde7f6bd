"""Browsers in which somebody was logged in before: they say so in a cookie that we have signed.

The cookie lets nobody in. What a stranger does cannot lock out who has it (OWASP, "Slow Down Online Guessing Attacks
with Device Cookies"). It is an id, tags of the names that were logged in there (a PC of the teachers' room has many),
and a signature.
"""

import hashlib
import hmac
import secrets

from controller.people.secret import equal
from store.people import PeopleStore

KEY = "browsers"
MOST_NAMES = 8  # of the others, the one that was logged in longest ago is forgotten
MOST_LENGTH = 400
LIFE_S = 400 * 86400  # as long as browsers keep a cookie


class Browsers:
    """Signs and reads these cookies, with a key that is kept in the database."""

    def __init__(self, rows: PeopleStore) -> None:
        self._rows = rows
        self._kept: bytes | None = None

    async def id(self, cookie: str | None) -> str | None:
        """What tells this browser from others; None for a cookie that is not ours."""
        return (await self._read(cookie))[0] or None

    async def knows(self, cookie: str | None, name: str) -> str | None:
        """What tells that browser and name from others; None where nobody of this name was logged in there."""
        id, names = await self._read(cookie)
        tag = await self._tag(id, name)
        return f"{id}.{tag}" if tag in names else None

    async def noted(self, cookie: str | None, name: str) -> str:
        """The cookie of this browser from now on: somebody of this name has logged in there."""
        id, names = await self._read(cookie)
        id = id or secrets.token_urlsafe(12)
        tag = await self._tag(id, name)
        tags = "-".join([tag, *(each for each in names if each != tag)][:MOST_NAMES])
        return f"{id}.{tags}.{await self._signature(id, tags)}"

    async def _read(self, cookie: str | None) -> tuple[str, list[str]]:
        """Its id and tags; nothing of one that we have not signed."""
        parts = (cookie or "")[: MOST_LENGTH + 1].split(".")
        if len(parts) != 3 or not equal(parts[2], await self._signature(*parts[:2])):
            return "", []
        return parts[0], parts[1].split("-")

    async def _tag(self, id: str, name: str) -> str:
        return (await self._mac("name", id, name))[:16]

    async def _signature(self, id: str, tags: str) -> str:
        return await self._mac("cookie", id, tags)

    async def _mac(self, *parts: str) -> str:
        text = "\n".join(parts).encode(errors="surrogateescape")
        return hmac.new(await self._key(), text, hashlib.sha256).hexdigest()

    async def _key(self) -> bytes:
        if self._kept is None:
            self._kept = await self._rows.key(KEY, secrets.token_bytes(32))
        return self._kept
