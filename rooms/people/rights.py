"""Who may do what: the one place where every request is checked against (role, organisation of the object).

A role held at a school counts at that school. One held at a department counts there, and for what `ROLES` says also at
everything below; what happens in a lesson is left to the schools. Whoever may not even see an object is told that it
does not exist (`HiddenObject`, 404); whoever sees it but may not do this is refused (`Forbidden`, 403).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from rooms.invitation import InvitationState
from rooms.lesson import Lesson, LessonState, Site
from rooms.organisation_tree import OrganisationTree
from rooms.people.account import Account, Role, RoleAt
from rooms.people.errors import Forbidden, HiddenObject
from rooms.room import RoomId
from rooms.school import OrganisationId, OrganisationKind, SchoolId


class Right(StrEnum):
    """Something that can be done to an object of an organisation; OPERATE belongs to none."""

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
    ADMINISTER = "look after its accounts and its name"
    ADD_ORGANISATION = "add schools and departments below it"
    OPERATE = "operate what all share: bridge nodes, organisations at the top"


@dataclass(frozen=True, slots=True)
class Given:
    """To whom a right is given: roles held at the very organisation, and those held at a department above it."""

    at: frozenset[Role]
    below: frozenset[Role] = frozenset()


TEACHER, TECHNICIAN, ADMINISTRATOR = Role.TEACHER, Role.TECHNICIAN, Role.ADMINISTRATOR
# Each role is named: one that is added later has nothing until it is written here.
ROLES: Mapping[Right, Given] = {
    Right.SEE: Given(
        at=frozenset({TEACHER, TECHNICIAN, ADMINISTRATOR}), below=frozenset({TEACHER, TECHNICIAN, ADMINISTRATOR})
    ),
    Right.COMMAND: Given(at=frozenset({TEACHER, TECHNICIAN, ADMINISTRATOR}), below=frozenset({TECHNICIAN})),
    Right.EQUIP: Given(at=frozenset({TECHNICIAN, ADMINISTRATOR}), below=frozenset({TECHNICIAN})),
    Right.PLAN: Given(at=frozenset({TEACHER, ADMINISTRATOR}), below=frozenset({ADMINISTRATOR})),
    Right.RUN: Given(at=frozenset({TEACHER})),
    Right.WATCH: Given(at=frozenset({TEACHER})),
    Right.SHARE: Given(at=frozenset({TEACHER})),
    Right.DIAGNOSE: Given(at=frozenset({TECHNICIAN, ADMINISTRATOR}), below=frozenset({TECHNICIAN, ADMINISTRATOR})),
    Right.ANSWER: Given(at=frozenset({TEACHER, TECHNICIAN, ADMINISTRATOR})),
    Right.CONNECT: Given(at=frozenset({TECHNICIAN, ADMINISTRATOR}), below=frozenset({TECHNICIAN})),
    Right.ADMINISTER: Given(at=frozenset({ADMINISTRATOR}), below=frozenset({ADMINISTRATOR})),
    Right.ADD_ORGANISATION: Given(at=frozenset({ADMINISTRATOR}), below=frozenset({ADMINISTRATOR})),
    Right.OPERATE: Given(at=frozenset()),  # no role gives it: `Account.operator`, set at the shell
}

Standing = tuple[frozenset[Role], frozenset[Role]]

SEES_NOTHING = frozenset({InvitationState.REVOKED, InvitationState.EXPIRED})
TAKES_NO_PART = SEES_NOTHING | {InvitationState.DECLINED}


@dataclass(frozen=True, slots=True)
class Rights:
    """What one account may do, in a tree of organisations. `operator`: whether it may operate what all share."""

    _held: Mapping[OrganisationId, frozenset[Role]]
    _tree: OrganisationTree
    operator: bool = False

    @classmethod
    def of(cls, account: Account, tree: OrganisationTree) -> "Rights":
        """In the tree as it is whenever these rights are asked for."""
        held: dict[OrganisationId, frozenset[Role]] = {}
        for each in account.roles:
            held[each.organisation_id] = held.get(each.organisation_id, frozenset()) | {each.role}
        return cls(held, tree, account.operator)

    @property
    def homes(self) -> frozenset[OrganisationId]:
        """Where roles are held: what they give lies there and below."""
        return frozenset(self._held)

    def has(self, right: Right, organisation_id: OrganisationId) -> bool:
        """Never at an organisation that does not exist."""
        if right is Right.OPERATE:
            return self.operator
        given = ROLES[right]
        if organisation_id in self._tree and self._at(organisation_id) & given.at:
            return True
        return bool(given.below) and any(self._at(each) & given.below for each in self._above(organisation_id))

    def organisations(self, right: Right) -> frozenset[OrganisationId]:
        """Everywhere the account has `right`."""
        if right is Right.OPERATE:
            return frozenset(self._tree) if self.operator else frozenset()
        given = ROLES[right]
        found: set[OrganisationId] = set()
        for home, roles in self._held.items():
            if home in self._tree and roles & given.at:
                found.add(home)
            if roles & given.below and self._is_department(home):
                found.update(each.id for each in self._tree.below(home) if each.id != home)
        return frozenset(found)

    def schools(self, right: Right) -> frozenset[SchoolId]:
        """The schools at which the account has `right`."""
        given = ROLES[right]
        found: frozenset[SchoolId] = frozenset()
        for home, roles in self._held.items():
            if self._is_department(home):
                found |= self._tree.schools_below(home) if roles & given.below else frozenset()
            elif home in self._tree and roles & given.at:
                found |= {SchoolId(home)}
        return found

    def standing(self, organisation_id: OrganisationId) -> Standing:
        """The roles held there, and at departments above: two accounts with the same have the same rights there."""
        none: frozenset[Role] = frozenset()
        if organisation_id not in self._tree:
            return none, none
        return self._at(organisation_id), none.union(*(self._at(each) for each in self._above(organisation_id)))

    @property
    def administers(self) -> bool:
        """Whether it administers anything."""
        return any(roles & ROLES[Right.ADMINISTER].at and home in self._tree for home, roles in self._held.items())

    def administered_from(self, organisation_id: OrganisationId) -> frozenset[OrganisationId]:
        """Where administrators of that organisation hold their role: there, or at a department above it."""
        return frozenset({organisation_id, *self._above(organisation_id)})

    def require(self, right: Right, organisation_id: OrganisationId, kind: str, id: str) -> None:
        """Check `right` to the object `kind` `id` of an organisation. Raises `HiddenObject`, `Forbidden`."""
        if not self.has(Right.SEE, organisation_id):
            raise HiddenObject(kind, id)
        if not self.has(right, organisation_id):
            raise Forbidden(f"needs the right to {right.value}")

    def require_addition(self, parent_id: OrganisationId | None) -> None:
        """To add an organisation below `parent_id`; at the top, operators only. Raises as `require`."""
        if parent_id is None:
            self.require_operation()
        else:
            self.require(Right.ADD_ORGANISATION, parent_id, "organisation", parent_id)

    def require_operation(self) -> None:
        """What all share, such as nodes. Raises `Forbidden`."""
        if not self.operator:
            raise Forbidden(f"needs the right to {Right.OPERATE.value}; `nhipcau account operator` gives it")

    def require_account(self, account: Account) -> None:
        """To see the account of somebody with a role where this one administers. Raises `HiddenObject`."""
        if not any(self.has(Right.ADMINISTER, each.organisation_id) for each in account.roles):
            raise HiddenObject("account", account.id)

    def has_person(self, account: Account) -> bool:
        """Whether all that the person is lies where this one administers.

        Whoever looks after one school must not get at what the person is elsewhere, nor at what all share.
        """
        below = all(self.has(Right.ADMINISTER, each.organisation_id) for each in account.roles)
        return below and bool(account.roles) and (self.operator or not account.operator)

    def require_person(self, account: Account) -> None:
        """To change what belongs to the whole person: password, logins, tokens, suspension.

        Raises `HiddenObject`, `Forbidden`.
        """
        self.require_account(account)
        if not self.has_person(account):
            raise Forbidden(
                "operates this installation: `nhipcau account` at the shell changes such an account"
                if account.operator and not self.operator
                else "has roles at organisations that you do not administer: take the role at yours instead"
            )

    def require_role(self, account: Account, role: RoleAt) -> None:
        """To give or take that role. Raises `HiddenObject`, `Forbidden`."""
        at = role.organisation_id
        self.require(Right.ADMINISTER, at, "organisation", at)
        self.require_account(account)

    def sees_lesson(self, lesson: Lesson) -> bool:
        """Whether the account's people hold the lesson, or are or were asked to take part."""
        return self.has(Right.SEE, lesson.host_school_id) or any(
            self.has(Right.SEE, site.school_id) for site in lesson.sites if site.invitation not in SEES_NOTHING
        )

    def sees_course(self, lesson: Lesson) -> bool:
        """Whether they see what happens in it, too: not those who have declined, once it has begun."""
        if lesson.state is LessonState.SCHEDULED or self.has(Right.SEE, lesson.host_school_id):
            return self.sees_lesson(lesson)
        return any(self.has(Right.SEE, site.school_id) for site in lesson.sites if site.invitation not in TAKES_NO_PART)

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

    def may_watch(self, lesson: Lesson) -> bool:
        """Teachers of schools that take part may; an invitation that is not accepted gives nobody a view."""
        return self._takes_part(Right.WATCH, lesson)

    def require_watch(self, lesson: Lesson) -> None:
        """Raises as `require_lesson`."""
        self.require_lesson(None, lesson)
        if not self.may_watch(lesson):
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

    def _is_department(self, organisation_id: OrganisationId) -> bool:
        found = self._tree.find(organisation_id)
        return found is not None and found.kind is OrganisationKind.DEPARTMENT

    def _at(self, organisation_id: OrganisationId) -> frozenset[Role]:
        return self._held.get(organisation_id, frozenset())

    def _above(self, organisation_id: OrganisationId) -> Iterator[OrganisationId]:
        """The departments above it. A school above it, as older data may have, gives nothing."""
        return (each.id for each in self._tree.above(organisation_id) if each.kind is OrganisationKind.DEPARTMENT)


@dataclass(frozen=True, slots=True)
class DisplayRights:
    """What a paired display may do: decide the part of the room that it is in."""

    room_id: RoomId

    def require_lesson(self, right: None, lesson: Lesson) -> None:
        """To see it. Raises `SiteNotFound` where the room is not in it."""
        lesson.site(self.room_id)

    def require_answer(self, lesson: Lesson, site: Site) -> None:
        """Raises `Forbidden`."""
        if site.room_id != self.room_id:
            raise Forbidden(f"the display is not in room {site.room_id}")


class _OwnersRights(Rights):
    def has(self, right: Right, organisation_id: OrganisationId) -> bool:
        return True

    def has_person(self, account: Account) -> bool:
        return True

    def require_account(self, account: Account) -> None:
        pass


OWNER: Rights = _OwnersRights({}, OrganisationTree(), operator=True)
"""The rights of whoever owns this machine: for commands at its shell and programs that set it up. They may do all."""
