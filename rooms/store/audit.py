"""The audit log in the database. Entries are added, never changed."""

from rooms.audit import AuditEntry


class Audit:
    """Who changed what, and when."""

    async def add(self, entry: AuditEntry) -> None:
        """Write one entry."""
        raise NotImplementedError

    async def list(
        self, *, object_kind: str | None = None, object_id: str | None = None, limit: int = 100
    ) -> tuple[AuditEntry, ...]:
        """The newest entries first, of one kind or one object where given."""
        raise NotImplementedError
