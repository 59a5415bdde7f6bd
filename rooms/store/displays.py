"""Displays in the database, known by the hash of their secret."""

from datetime import datetime

from rooms.room import Display, DisplayId, RoomId


class Displays:
    """Paired displays. The secret itself is only in the display's cookie."""

    async def add(self, display: Display, secret_hash: str) -> None:
        """Raises `RoomNotFound`, `AlreadyExists`. `secret_hash`: at most 128 characters, e.g. SHA-256 in hex."""
        raise NotImplementedError

    async def get(self, display_id: DisplayId) -> Display:
        """Raises `DisplayNotFound`."""
        raise NotImplementedError

    async def get_by_secret_hash(self, secret_hash: str) -> Display | None:
        """The display with that secret; None: never paired, or unpaired since."""
        raise NotImplementedError

    async def list(self, room_id: RoomId | None = None) -> tuple[Display, ...]:
        """Displays of a room, all where None; by name."""
        raise NotImplementedError

    async def touch(self, display_id: DisplayId, now: datetime) -> None:
        """Note that it was seen. Nothing happens where it is unknown."""
        raise NotImplementedError

    async def delete(self, display_id: DisplayId) -> None:
        """Unpair. Raises `DisplayNotFound`."""
        raise NotImplementedError
