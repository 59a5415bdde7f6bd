"""Who may do what: the one place where every request is checked against (role, organisation of the object).

A role held at an organisation counts for that organisation and all below it. Whoever may not even see an object is told
that it does not exist (`HiddenObject`, 404); whoever sees it but may not do this is refused (`Forbidden`, 403).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from controller.people.account import Account, Role
from controller.people.errors import Forbidden, HiddenObject
from rooms.invitation import InvitationState
from rooms.lesson import Lesson, Site
from rooms.school import Organisation, OrganisationId


class Right(StrEnum):
    """Something that can be done to an object of an organisation."""

    SEE = "see its rooms, devices, scenes and displays"
    COMMAND = "command its devices and apply its scenes"
    EQUIP = "change its rooms, devices, scenes and displays"
    PLAN = "plan and change its lessons"
    RUN = "start and end its lessons"
    WATCH = "watch its live lessons"
    SHARE = "share a screen as its rooms"
    DIAGNOSE = "see how the sites of its lessons were connected"
    ANSWER = "accept or decline invitations for its rooms"
    CONNECT = "let gear into its corner of the broker"
    ADMINISTER = "see and add its accounts"
    ADD_SCHOOL = "add schools below it"
    OPERATE = "see and drain the bridge nodes"


EVERYBODY = frozenset(Role)
ROLES: Mapping[Right, frozenset[Role]] = {
    Right.SEE: EVERYBODY,
    Right.COMMAND: EVERYBODY,
    Right.EQUIP: frozenset({Role.TECHNICIAN, Role.ADMINISTRATOR}),
    Right.PLAN: frozenset({Role.TEACHER, Role.ADMINISTRATOR}),
    Right.RUN: frozenset({Role.TEACHER}),
    Right.WATCH: frozenset({Role.TEACHER}),
    Right.SHARE: frozenset({Role.TEACHER}),
    Right.DIAGNOSE: frozenset({Role.TECHNICIAN, Role.ADMINISTRATOR}),
    Right.ANSWER: EVERYBODY,
    Right.CONNECT: frozenset({Role.TECHNICIAN, Role.ADMINISTRATOR}),
    Right.ADMINISTER: frozenset({Role.ADMINISTRATOR}),
    Right.ADD_SCHOOL: frozenset({Role.ADMINISTRATOR}),
    Right.OPERATE: frozenset({Role.ADMINISTRATOR}),
}
"""Which roles give which right at the organisation where they are held, and below."""

SEES_NOTHING = frozenset({InvitationState.REVOKED, InvitationState.EXPIRED})


@dataclass(frozen=True, slots=True)
class Rights:
    """What one account may do, in a tree of organisations."""

    _held: Mapping[OrganisationId, frozenset[Role]]
    _parents: Mapping[OrganisationId, OrganisationId | None]

    @classmethod
    def of(cls, account: Account, organisations: Iterable[Organisation]) -> "Rights":
        held: dict[OrganisationId, frozenset[Role]] = {}
        for each in account.roles:
            held[each.organisation_id] = held.get(each.organisation_id, frozenset()) | {each.role}
        return cls(held, {organisation.id: organisation.parent_id for organisation in organisations})

    def roles_at(self, organisation_id: OrganisationId) -> frozenset[Role]:
        """The roles that count there: held there or above. None at an organisation that does not exist."""
        roles: frozenset[Role] = frozenset()
        at: OrganisationId | None = organisation_id
        seen: set[OrganisationId] = set()  # a tree with a loop would be a fault; it must not hang a request
        while at is not None and at in self._parents and at not in seen:
            seen.add(at)
            roles |= self._held.get(at, frozenset())
            at = self._parents[at]
        return roles

    def has(self, right: Right, organisation_id: OrganisationId) -> bool:
        return bool(self.roles_at(organisation_id) & ROLES[right])

    def organisations(self, right: Right) -> frozenset[OrganisationId]:
        """Everywhere the account has `right`."""
        return frozenset(each for each in self._parents if self.has(right, each))

    def require(self, right: Right, organisation_id: OrganisationId, kind: str, id: str) -> None:
        """Check `right` to the object `kind` `id` of an organisation. Raises `HiddenObject`, `Forbidden`."""
        if not self.has(Right.SEE, organisation_id):
            raise HiddenObject(kind, id)
        if not self.has(right, organisation_id):
            raise Forbidden(f"needs the right to {right.value}")

    def require_school_addition(self, parent_id: OrganisationId | None) -> None:
        """Below `parent_id`, or at the top, where only administrators of an organisation at the top may add one."""
        if parent_id is not None:
            self.require(Right.ADD_SCHOOL, parent_id, "organisation", parent_id)
        elif not any(at is None and self.has(Right.ADD_SCHOOL, each) for each, at in self._parents.items()):
            raise Forbidden(f"needs the right to {Right.ADD_SCHOOL.value}")

    def require_operation(self) -> None:
        """What all share, such as nodes: for administrators of an organisation at the top. Raises `Forbidden`."""
        if not any(at is None and self.has(Right.OPERATE, each) for each, at in self._parents.items()):
            raise Forbidden(f"needs the right to {Right.OPERATE.value}")

    def sees_lesson(self, lesson: Lesson) -> bool:
        """Whether the account's people hold the lesson, or are or were asked to take part."""
        return self.has(Right.SEE, lesson.host_school_id) or any(
            self.has(Right.SEE, site.school_id) for site in lesson.sites if site.invitation not in SEES_NOTHING
        )

    def require_lesson(self, right: Right | None, lesson: Lesson) -> None:
        """`right` of the host's people; None: to see it. Raises `HiddenObject`, `Forbidden`."""
        if not self.sees_lesson(lesson):
            raise HiddenObject("lesson", lesson.id)
        if right is not None and not self.has(right, lesson.host_school_id):
            raise Forbidden(f"needs the right to {right.value} at the lesson's host school")

    def require_answer(self, lesson: Lesson, site: Site) -> None:
        """To decide whether the room takes part, and what it sends. Raises as `require_lesson`."""
        self.require_at_site(Right.ANSWER, lesson, site)

    def require_at_site(self, right: Right, lesson: Lesson, site: Site) -> None:
        """`right` of the room's own school's people, never of the host's. Raises as `require_lesson`."""
        self.require_lesson(None, lesson)
        if not self.has(right, site.school_id):
            raise Forbidden(f"needs the right to {right.value} at the room's own school")

    def require_watch(self, lesson: Lesson) -> None:
        """Teachers of schools that take part may watch; an invitation that is not accepted gives nobody a view."""
        self.require_lesson(None, lesson)
        if not self._takes_part(Right.WATCH, lesson):
            raise Forbidden(f"needs the right to {Right.WATCH.value}")

    def sharing_site(self, lesson: Lesson) -> Site | None:
        """Whose screen this teacher may share: the first room in the lesson of a school of theirs, never another's."""
        return next((site for site in lesson.accepted if self.has(Right.SHARE, site.school_id)), None)

    def require_sharing(self, lesson: Lesson) -> Site:
        """Raises as `require_lesson`."""
        self.require_lesson(None, lesson)
        site = self.sharing_site(lesson)
        if site is None:
            raise Forbidden(f"needs the right to {Right.SHARE.value}")
        return site

    def may_diagnose(self, lesson: Lesson) -> bool:
        """A weak link is told from a weak bridge by all sites together: whoever looks after one of them sees all."""
        return self._takes_part(Right.DIAGNOSE, lesson)

    def require_diagnosis(self, lesson: Lesson) -> None:
        """Raises as `require_lesson`."""
        self.require_lesson(None, lesson)
        if not self.may_diagnose(lesson):
            raise Forbidden(f"needs the right to {Right.DIAGNOSE.value}")

    def _takes_part(self, right: Right, lesson: Lesson) -> bool:
        """Whether `right` is held at the host or at a school that accepted."""
        taking_part = {site.school_id for site in lesson.sites if site.invitation == InvitationState.ACCEPTED}
        return any(self.has(right, school) for school in {lesson.host_school_id, *taking_part})
