"""The rules of rights, without a database."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from controller.people.account import Account, AccountId, Role, RoleAt
from controller.people.errors import Forbidden, HiddenObject
from controller.people.rights import Right, Rights
from rooms.invitation import InvitationState
from rooms.lesson import Lesson, LessonId
from rooms.room import Room, RoomId
from rooms.school import Organisation, OrganisationId, OrganisationKind, SchoolId

NOW = datetime(2026, 3, 2, 2, tzinfo=UTC)
DEPARTMENT, OTHER_DEPARTMENT = OrganisationId("so-thai-nguyen"), OrganisationId("so-nghe-an")
XUAN, LOI, KIM = (SchoolId(OrganisationId(each)) for each in ("xuan", "loi", "kim"))
TREE = (
    Organisation(id=DEPARTMENT, kind=OrganisationKind.DEPARTMENT, name="Sở Thái Nguyên"),
    Organisation(id=OTHER_DEPARTMENT, kind=OrganisationKind.DEPARTMENT, name="Sở Nghệ An"),
    Organisation(id=XUAN, parent_id=DEPARTMENT, kind=OrganisationKind.SCHOOL, name="Xuân"),
    Organisation(id=LOI, parent_id=OTHER_DEPARTMENT, kind=OrganisationKind.SCHOOL, name="Lợi"),
    Organisation(id=KIM, kind=OrganisationKind.SCHOOL, name="Kim"),
)


def rights(role: Role, at: OrganisationId) -> Rights:
    account = Account(id=AccountId("a"), name="lan", display_name="Lan", roles=(RoleAt(role, at),), created=NOW)
    return Rights.of(account, TREE)


def lesson(invitation: InvitationState = InvitationState.PENDING) -> Lesson:
    """Xuân's, with Lợi asked."""
    rooms = [Room(id=RoomId(f"r-{school}"), school_id=school, name="4A") for school in (XUAN, LOI)]
    planned = Lesson.planned(
        id=LessonId("l"), title="Sông", host_school_id=XUAN, start=NOW, end=NOW + timedelta(hours=1), rooms=rooms
    )
    return replace(planned, sites=(planned.sites[0], replace(planned.sites[1], invitation=invitation)))


def test_role_counts_at_its_organisation_and_below() -> None:
    technician = rights(Role.TECHNICIAN, DEPARTMENT)
    assert technician.organisations(Right.EQUIP) == {DEPARTMENT, XUAN}
    assert rights(Role.TECHNICIAN, XUAN).organisations(Right.EQUIP) == {XUAN}
    assert technician.roles_at(OrganisationId("nowhere")) == frozenset()


def test_what_may_not_be_seen_does_not_exist_and_what_may_is_forbidden() -> None:
    teacher = rights(Role.TEACHER, XUAN)
    with pytest.raises(HiddenObject):
        teacher.require(Right.SEE, LOI, "room", "r")
    with pytest.raises(Forbidden):
        teacher.require(Right.EQUIP, XUAN, "room", "r")
    teacher.require(Right.SEE, XUAN, "room", "r")


def test_loop_in_the_tree_ends() -> None:
    one, two = OrganisationId("one"), OrganisationId("two")
    looped = Rights({}, {one: two, two: one})
    assert looped.organisations(Right.SEE) == frozenset()


@pytest.mark.parametrize(
    ("role", "at", "parent", "error"),
    [
        (Role.ADMINISTRATOR, DEPARTMENT, DEPARTMENT, None),
        (Role.ADMINISTRATOR, DEPARTMENT, None, None),
        (Role.ADMINISTRATOR, KIM, None, None),  # a school at the top is an installation of its own
        (Role.ADMINISTRATOR, XUAN, None, Forbidden),
        (Role.ADMINISTRATOR, XUAN, DEPARTMENT, HiddenObject),
        (Role.ADMINISTRATOR, DEPARTMENT, OTHER_DEPARTMENT, HiddenObject),
        (Role.TECHNICIAN, DEPARTMENT, DEPARTMENT, Forbidden),
        (Role.TECHNICIAN, DEPARTMENT, None, Forbidden),
    ],
)
def test_adding_schools(
    role: Role, at: OrganisationId, parent: OrganisationId | None, error: type[Exception] | None
) -> None:
    held = rights(role, at)
    if error is None:
        held.require_school_addition(parent)
        return
    with pytest.raises(error):
        held.require_school_addition(parent)


@pytest.mark.parametrize("invitation", list(InvitationState))
def test_guest_sees_the_lesson_unless_it_is_not_asked_any_more(invitation: InvitationState) -> None:
    seen = invitation not in (InvitationState.REVOKED, InvitationState.EXPIRED)
    assert rights(Role.TEACHER, LOI).sees_lesson(lesson(invitation)) is seen
    assert rights(Role.TEACHER, XUAN).sees_lesson(lesson(invitation))
    assert not rights(Role.TEACHER, KIM).sees_lesson(lesson(invitation))


def test_only_teachers_of_schools_that_take_part_watch() -> None:
    rights(Role.TEACHER, XUAN).require_watch(lesson())
    rights(Role.TEACHER, LOI).require_watch(lesson(InvitationState.ACCEPTED))
    for refused in (rights(Role.TEACHER, LOI), rights(Role.TECHNICIAN, XUAN)):
        with pytest.raises(Forbidden):
            refused.require_watch(lesson())


def test_host_does_not_answer_for_its_guest() -> None:
    planned = lesson()
    with pytest.raises(Forbidden):
        rights(Role.ADMINISTRATOR, XUAN).require_answer(planned, planned.sites[1])
    rights(Role.TECHNICIAN, LOI).require_answer(planned, planned.sites[1])


@pytest.mark.parametrize(
    ("role", "at", "invitation", "expected"),
    [
        (Role.TEACHER, XUAN, InvitationState.PENDING, "r-xuan"),
        (Role.TEACHER, DEPARTMENT, InvitationState.PENDING, "r-xuan"),
        (Role.TEACHER, LOI, InvitationState.ACCEPTED, "r-loi"),  # a guest shows its own work, as its own room
        (Role.TEACHER, LOI, InvitationState.PENDING, None),
        (Role.TECHNICIAN, XUAN, InvitationState.PENDING, None),
    ],
)
def test_a_teacher_shares_a_screen_as_a_room_of_the_own_school(
    role: Role, at: OrganisationId, invitation: InvitationState, expected: str | None
) -> None:
    site = rights(role, at).sharing_site(lesson(invitation))
    assert (site and site.room_id) == expected
