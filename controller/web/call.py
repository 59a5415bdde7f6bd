"""One request on its way through a handler: who makes it, what they may do, and what goes back beside the body."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from aiohttp import web

from controller.changes import ChangeKind
from controller.web.errors import PreconditionFailed, PreconditionRequired
from controller.web.remote import address_of
from controller.web.services import Services
from rooms.audit import AuditEntry
from rooms.people.account import Identity
from rooms.people.rights import Rights

SERVICES = web.AppKey("services", Services)


@dataclass(slots=True, kw_only=True)
class Call:
    """What a handler is handed. `status` and `headers` start as the route says and may be changed."""

    request: web.Request
    services: Services
    status: int
    asked: datetime  # aware, UTC; when it came, before anything was read: what it gives is void if taken back later
    who: Identity | None = None
    known_rights: Rights | None = None
    headers: dict[str, str] = field(default_factory=dict)
    _cookies: list[tuple[str, str, str, int]] = field(default_factory=list)

    @property
    def identity(self) -> Identity:
        """Only on routes for which somebody has to be logged in."""
        assert self.who is not None
        return self.who

    @property
    def rights(self) -> Rights:
        """Only on routes for which somebody has to be logged in."""
        assert self.known_rights is not None
        return self.known_rights

    @property
    def actor(self) -> str:
        """For the record."""
        return self.identity.account.id

    @property
    def address(self) -> str:
        return address_of(self.request, self.services.trusted_proxies)

    def path(self, name: str) -> str:
        return self.request.match_info[name]

    def set_etag(self, version: int) -> None:
        self.headers["ETag"] = f'"{version}"'

    def expected_version(self) -> int:
        """The version in `If-Match`. Raises `PreconditionRequired` where it is left out, `PreconditionFailed`."""
        expected = self.given_version()
        if expected is None:
            raise PreconditionRequired("say in If-Match which version this changes")
        return expected

    def given_version(self) -> int | None:
        """The version in `If-Match`, if there is one. Raises `PreconditionFailed`."""
        text = self.request.headers.get("If-Match")
        if text is None:
            return None
        version = text.strip().strip('"')
        if not (version.isascii() and version.isdigit() and len(version) < 10):
            raise PreconditionFailed("If-Match is not a version that was given in an ETag")
        return int(version)

    def set_cookie(self, name: str, value: str, *, path: str = "/", max_age_s: int) -> None:
        """`max_age_s` 0 deletes it."""
        self._cookies.append((name, value, path, max_age_s))

    def finish(self, response: web.Response) -> web.Response:
        response.headers.update(self.headers)
        for name, value, path, max_age_s in self._cookies:
            response.set_cookie(
                name,
                value,
                path=path,
                max_age=max_age_s,
                httponly=True,
                samesite="Lax",
                secure=self.services.secure,
            )
        return response

    async def record(
        self,
        action: str,
        object_kind: str,
        object_id: str,
        *,
        before: Mapping[str, object] | None = None,
        after: Mapping[str, object] | None = None,
        actor: str | None = None,
    ) -> None:
        """One line of the audit log in the name of whoever makes this request, or of `actor` where nobody logs in."""
        await self.services.store.audit.add(
            AuditEntry(
                at=self.services.clock(),
                actor=actor or self.actor,
                action=action,
                object_kind=object_kind,
                object_id=object_id,
                before=before,
                after=after,
            )
        )

    def changed(self, kind: ChangeKind, id: str) -> None:
        self.services.changes.publish(kind, id)
