"""The rules of rights, without a database."""

from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest

from rooms.invitation import InvitationState
from rooms.lesson import Lesson, LessonId, LessonState
from rooms.organisation_tree import OrganisationTree
from rooms.people.account import Account, AccountId, Role, RoleAt
from rooms.people.errors import Forbidden, HiddenObject
from rooms.people.rights import OWNER, ROLES, Given, Right, Rights
from rooms.room import Room, RoomId
from rooms.school import Organisation, OrganisationId, OrganisationKind, SchoolId

NOW = datetime(2026, 3, 2, 2, tzinfo=UTC)
DEPARTMENT, OTHER_DEPARTMENT = OrganisationId("so-thai-nguyen"), OrganisationId("so-nghe-an")
OFFICE = OrganisationId("phong-pho-yen")
XUAN, LOI, KIM, AN, BINH, ANNEX = (
    SchoolId(OrganisationId(each)) for each in ("xuan", "loi", "kim", "an", "binh", "kim-2")
)
TREE = (
    Organisation(id=DEPARTMENT, kind=OrganisationKind.DEPARTMENT, name="Sở Thái Nguyên"),
    Organisation(id=OTHER_DEPARTMENT, kind=OrganisationKind.DEPARTMENT, name="Sở Nghệ An"),
    Organisation(id=OFFICE, parent_id=DEPARTMENT, kind=OrganisationKind.DEPARTMENT, name="Phòng Giáo dục Phổ Yên"),
    Organisation(id=XUAN, parent_id=DEPARTMENT, kind=OrganisationKind.SCHOOL, name="Xuân"),
    Organisation(id=AN, parent_id=OFFICE, kind=OrganisationKind.SCHOOL, name="An"),
    Organisation(id=BINH, parent_id=OFFICE, kind=OrganisationKind.SCHOOL, name="Bình"),
    Organisation(id=LOI, parent_id=OTHER_DEPARTMENT, kind=OrganisationKind.SCHOOL, name="Lợi"),
    Organisation(id=KIM, kind=OrganisationKind.SCHOOL, name="Kim"),
    Organisation(id=ANNEX, parent_id=KIM, kind=OrganisationKind.SCHOOL, name="Kim, phân hiệu"),  # as older data has it
)
# Of a role at the organisation itself: T teacher, K technician, A administrator. Then of one at a department above.
GIVEN = {
    Right.SEE: ("TKA", "TKA"),
    Right.COMMAND: ("TKA", "K"),
    Right.EQUIP: ("KA", "K"),
    Right.PLAN: ("TA", "A"),
    Right.RUN: ("T", ""),
    Right.WATCH: ("T", ""),
    Right.SHARE: ("T", ""),
    Right.DIAGNOSE: ("KA", "KA"),
    Right.ANSWER: ("TKA", ""),
    Right.CONNECT: ("KA", "K"),
    Right.ADMINISTER: ("A", "A"),
    Right.ADD_ORGANISATION: ("A", "A"),
    Right.OPERATE: ("", ""),
}
LETTERS = {Role.TEACHER: "T", Role.TECHNICIAN: "K", Role.ADMINISTRATOR: "A"}
BELOW: dict[OrganisationId, set[OrganisationId]] = {
    DEPARTMENT: {OFFICE, XUAN, AN, BINH},
    OFFICE: {AN, BINH},
    OTHER_DEPARTMENT: {LOI},
}


def person(*roles: RoleAt, operator: bool = False) -> Account:
    return Account(id=AccountId("a"), name="lan", display_name="Lan", roles=roles, created=NOW, operator=operator)


def rights(role: Role, at: OrganisationId, *, operator: bool = False) -> Rights:
    return Rights.of(person(RoleAt(role, at), operator=operator), OrganisationTree(TREE))


def lesson(invitation: InvitationState = InvitationState.PENDING) -> Lesson:
    """Xuân's, with Lợi asked."""
    rooms = [Room(id=RoomId(f"r-{school}"), school_id=school, name="4A") for school in (XUAN, LOI)]
    planned = Lesson.planned(
        id=LessonId("l"), title="Sông", host_school_id=XUAN, start=NOW, end=NOW + timedelta(hours=1), rooms=rooms
    )
    return replace(planned, sites=(planned.sites[0], replace(planned.sites[1], invitation=invitation)))


@pytest.mark.parametrize("right", list(Right))
def test_each_right_of_each_role_reaches_as_far_as_the_table_says(right: Right) -> None:
    """Every role, held at each organisation of the tree: it counts there, below departments, and nowhere else."""
    at, below = GIVEN[right]
    for role, letter in LETTERS.items():
        for held in TREE:
            wanted = ({held.id} if letter in at else set()) | (BELOW.get(held.id, set()) if letter in below else set())
            assert rights(role, held.id).organisations(right) == wanted, (role, held.id)


def test_each_right_names_the_roles_of_the_table_and_no_other() -> None:
    """Also where a role is added to `Role`: it is written into the table, or it has nothing."""
    roles = {letter: role for role, letter in LETTERS.items()}
    assert set(LETTERS) == set(Role)
    for right, (at, below) in GIVEN.items():
        assert ROLES[right] == Given(frozenset(roles[each] for each in at), frozenset(roles[each] for each in below)), (
            right
        )


@pytest.mark.parametrize("right", list(Right))
def test_a_role_that_no_right_names_has_nothing(right: Right) -> None:
    officer = cast(Role, "officer")
    assert rights(officer, DEPARTMENT).organisations(right) == frozenset()


def test_the_owner_of_the_machine_may_do_all() -> None:
    nobody = person()
    OWNER.require_operation()
    OWNER.require_addition(None)
    OWNER.require_account(nobody)
    OWNER.require_person(nobody)
    for right in Right:
        OWNER.require(right, XUAN, "room", "r")
        OWNER.require_lesson(right, lesson())


def test_a_role_above_gives_nothing_that_it_does_not_give_where_it_is_held() -> None:
    assert set(ROLES) == set(Right)
    assert all(given.below <= given.at for given in ROLES.values())


def test_several_roles_add_up() -> None:
    both = Rights.of(person(RoleAt(Role.TEACHER, AN), RoleAt(Role.ADMINISTRATOR, OFFICE)), OrganisationTree(TREE))
    assert both.organisations(Right.RUN) == {AN}
    assert both.organisations(Right.ADMINISTER) == {OFFICE, AN, BINH}


def test_operation_is_no_role_and_gives_nothing_else() -> None:
    assert rights(Role.ADMINISTRATOR, DEPARTMENT).has(Right.OPERATE, DEPARTMENT) is False
    operator = Rights.of(person(operator=True), OrganisationTree(TREE))
    operator.require_operation()
    operator.require_addition(None)
    assert {right for right in Right if operator.organisations(right)} == {Right.OPERATE}
    with pytest.raises(HiddenObject):
        operator.require_addition(DEPARTMENT)


def test_an_organisation_that_is_not_there_gives_nothing() -> None:
    nowhere = OrganisationId("nowhere")
    assert not any(rights(Role.ADMINISTRATOR, nowhere).has(right, nowhere) for right in Right)


def test_what_may_not_be_seen_does_not_exist_and_what_may_is_forbidden() -> None:
    teacher = rights(Role.TEACHER, XUAN)
    with pytest.raises(HiddenObject):
        teacher.require(Right.SEE, LOI, "room", "r")
    with pytest.raises(Forbidden):
        teacher.require(Right.EQUIP, XUAN, "room", "r")
    teacher.require(Right.SEE, XUAN, "room", "r")


def test_loop_in_the_tree_ends() -> None:
    one, two = OrganisationId("one"), OrganisationId("two")
    looped = OrganisationTree(
        Organisation(id=id, parent_id=parent, kind=OrganisationKind.DEPARTMENT, name=id)
        for id, parent in ((one, two), (two, one))
    )
    teacher = Rights.of(person(RoleAt(Role.TEACHER, one)), looped)
    assert teacher.organisations(Right.SEE) == {one, two}
    assert not Rights.of(person(), looped).organisations(Right.SEE)


@pytest.mark.parametrize(
    ("role", "at", "parent", "error"),
    [
        (Role.ADMINISTRATOR, DEPARTMENT, DEPARTMENT, None),
        (Role.ADMINISTRATOR, DEPARTMENT, OFFICE, None),
        (Role.ADMINISTRATOR, DEPARTMENT, None, Forbidden),
        (Role.ADMINISTRATOR, KIM, None, Forbidden),  # at the top: for operators
        (Role.ADMINISTRATOR, XUAN, DEPARTMENT, HiddenObject),
        (Role.ADMINISTRATOR, DEPARTMENT, OTHER_DEPARTMENT, HiddenObject),
        (Role.TECHNICIAN, DEPARTMENT, DEPARTMENT, Forbidden),
    ],
)
def test_adding_organisations(
    role: Role, at: OrganisationId, parent: OrganisationId | None, error: type[Exception] | None
) -> None:
    held = rights(role, at)
    if error is None:
        held.require_addition(parent)
        return
    with pytest.raises(error):
        held.require_addition(parent)


@pytest.mark.parametrize(
    ("account", "as_person", "as_role"),
    [
        (person(RoleAt(Role.TEACHER, AN)), None, None),
        (person(RoleAt(Role.TEACHER, AN), RoleAt(Role.TEACHER, BINH)), None, None),
        (person(RoleAt(Role.TEACHER, AN), RoleAt(Role.TEACHER, XUAN)), Forbidden, None),
        (person(RoleAt(Role.TEACHER, AN), RoleAt(Role.ADMINISTRATOR, DEPARTMENT)), Forbidden, None),
        (person(RoleAt(Role.ADMINISTRATOR, AN), operator=True), Forbidden, None),
        (person(RoleAt(Role.TEACHER, XUAN)), HiddenObject, HiddenObject),
        (person(), HiddenObject, HiddenObject),
    ],
)
def test_an_administrator_changes_the_person_only_who_is_nothing_elsewhere(
    account: Account, as_person: type[Exception] | None, as_role: type[Exception] | None
) -> None:
    office = rights(Role.ADMINISTRATOR, OFFICE)
    with pytest.raises(as_person) if as_person else nullcontext():
        office.require_person(account)
    with pytest.raises(as_role) if as_role else nullcontext():
        office.require_role(account, RoleAt(Role.TEACHER, AN))
    for elsewhere in (XUAN, DEPARTMENT, OTHER_DEPARTMENT):
        with pytest.raises((Forbidden, HiddenObject)):
            office.require_role(account, RoleAt(Role.TEACHER, elsewhere))


@pytest.mark.parametrize("invitation", list(InvitationState))
def test_guest_sees_the_lesson_unless_it_is_not_asked_any_more(invitation: InvitationState) -> None:
    seen = invitation not in (InvitationState.REVOKED, InvitationState.EXPIRED)
    assert rights(Role.TEACHER, LOI).sees_lesson(lesson(invitation)) is seen
    assert rights(Role.TEACHER, XUAN).sees_lesson(lesson(invitation))
    assert not rights(Role.TEACHER, KIM).sees_lesson(lesson(invitation))


@pytest.mark.parametrize("state", list(LessonState))
@pytest.mark.parametrize("invitation", list(InvitationState))
def test_who_declined_sees_nothing_of_its_course_and_may_still_answer(
    state: LessonState, invitation: InvitationState
) -> None:
    held = replace(lesson(invitation), state=state)
    guest = rights(Role.TEACHER, LOI)
    part = invitation in (InvitationState.PENDING, InvitationState.ACCEPTED)
    before = state is LessonState.SCHEDULED and invitation is InvitationState.DECLINED
    assert guest.sees_course(held) is (part or before)
    assert rights(Role.TEACHER, XUAN).sees_course(held)
    if invitation is InvitationState.DECLINED:
        guest.require_answer(held, held.sites[1])


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
        (Role.TEACHER, DEPARTMENT, InvitationState.PENDING, None),  # what happens in a lesson is the schools'
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
