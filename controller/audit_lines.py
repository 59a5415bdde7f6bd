"""The audit lines of one kind of object."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from rooms.audit import AuditEntry
from rooms.school import OrganisationId


@dataclass(frozen=True, slots=True)
class AuditLines:
    """Makes the line that an action writes in its own transaction. `kind`: "room", "device"."""

    kind: str
    clock: Callable[[], datetime]

    def entry(
        self,
        actor: str,
        action: str,
        id: str,
        *,
        before: Mapping[str, object] | None = None,
        after: Mapping[str, object] | None = None,
        organisations: frozenset[OrganisationId] = frozenset(),
    ) -> AuditEntry:
        """What `actor` does to the object now; for the rest see `AuditEntry`."""
        return AuditEntry(
            at=self.clock(),
            actor=actor,
            action=action,
            object_kind=self.kind,
            object_id=id,
            before=before,
            after=after,
            organisations=organisations,
        )
