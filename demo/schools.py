"""Who and what is in the demo: two schools, a room each, their people, a lesson that can be started now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from controller.app import Controller, utc_now
from controller.changes import ChangeKind
from controller.lessons.planning import NewLesson
from controller.people.organisations import NewOrganisation
from devices.device import Device
from rooms.errors import OrganisationNotFound
from rooms.invitation import InvitationState
from rooms.people.account import Account, Role, RoleAt
from rooms.people.errors import AccountNotFound
from rooms.people.rights import OWNER, Rights
from rooms.room import RoomId
from rooms.school import OrganisationId, OrganisationKind, SchoolId, namespace

ACTOR = "demo"
LINK_LIFE = timedelta(hours=12)
LESSON_LENGTH = timedelta(minutes=45)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody to log in as."""

    name: str
    display_name: str
    role: Role


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoSchool:
    """A school of the demo with its one room; `hint` is the room's name in its devices' topics."""

    id: SchoolId
    name: str
    short_name: str
    province: str
    room_id: RoomId
    room_name: str
    hint: str
    colour: str
    hertz: int
    people: tuple[Person, ...]


SCHOOLS = (
    DemoSchool(
        id=SchoolId(OrganisationId("nguyen-viet-xuan")),
        name="Trường Tiểu học Nguyễn Viết Xuân",
        short_name="Nguyễn Viết Xuân",
        province="Thái Nguyên",
        room_id=RoomId("nguyen-viet-xuan-3a"),
        room_name="Phòng 3A",
        hint="3a",
        colour="#1b4d3e",
        hertz=400,
        people=(
            Person(name="co.lan", display_name="Cô Lan", role=Role.TEACHER),
            Person(name="anh.tuan", display_name="Anh Tuấn", role=Role.TECHNICIAN),
            Person(name="co.hieu-truong", display_name="Cô Hiệu trưởng", role=Role.ADMINISTRATOR),
        ),
    ),
    DemoSchool(
        id=SchoolId(OrganisationId("le-loi")),
        name="Trường Tiểu học Lê Lợi",
        short_name="Lê Lợi",
        province="Vinh, Nghệ An",
        room_id=RoomId("le-loi-3b"),
        room_name="Phòng 3B",
        hint="3b",
        colour="#5b2a4f",
        hertz=300,
        people=(
            Person(name="thay.minh", display_name="Thầy Minh", role=Role.TEACHER),
            Person(name="chi.hoa", display_name="Chị Hoa", role=Role.TECHNICIAN),
        ),
    ),
)


async def settle(controller: Controller) -> None:
    """Have the schools, rooms and people; what is there already stays as it is."""
    for school in SCHOOLS:
        try:
            await controller.store.organisations.get(school.id)
        except OrganisationNotFound:
            await _add_school(controller, school)
        for person in school.people:
            await _account(controller, school, person)


async def _add_school(controller: Controller, school: DemoSchool) -> None:
    new = NewOrganisation(id=school.id, kind=OrganisationKind.SCHOOL, name=school.name, province=school.province)
    await controller.organisations.add(new, rights=OWNER, actor=ACTOR)
    await controller.rooms.add(school.id, school.room_name, id=school.room_id, rights=OWNER, actor=ACTOR)


async def _account(controller: Controller, school: DemoSchool, person: Person) -> Account:
    try:
        return await controller.people.accounts.named(person.name)
    except AccountNotFound:
        return await controller.people.accounts.add(
            name=person.name,
            display_name=person.display_name,
            roles=(RoleAt(person.role, school.id),),
            rights=OWNER,
            actor=ACTOR,
        )


async def login_links(controller: Controller) -> list[tuple[DemoSchool, Person, str]]:
    """A link for each person; they work until the demo's day is over."""
    links = []
    for school in SCHOOLS:
        for person in school.people:
            account = await controller.people.accounts.named(person.name)
            secret = await controller.people.links.login_secret(account.id, life=LINK_LIFE, reusable=True)
            links.append((school, person, f"{controller.url}/login#link={secret}"))
    return links


async def technician_token(controller: Controller, school: DemoSchool) -> str:
    """An API token for the school's simulated classroom."""
    technician = next(person for person in school.people if person.role is Role.TECHNICIAN)
    account = await controller.people.accounts.named(technician.name)
    _, token = await controller.people.tokens.create(
        account.id, "simulated classroom", life=LINK_LIFE, rights=OWNER, actor=ACTOR
    )
    return token


async def add_projector(controller: Controller, school: DemoSchool, *, port: int) -> None:
    """The school's projector without MQTT, which listens on this machine; at another port than in an earlier demo."""
    corner = namespace(school.id)
    known = [each for each in await controller.store.device_addresses.all() if each.namespace == corner]
    if known:
        address = known[0].device_id
        await controller.addresses.change(
            address, host="127.0.0.1", port=port, password=None, rights=OWNER, actor=ACTOR
        )
        return
    await controller.addresses.add(
        school.id,
        gateway="pjlink",
        host="127.0.0.1",
        port=port,
        password="",
        name="Máy chiếu thứ hai (PJLink)",
        rights=OWNER,
        actor=ACTOR,
    )


async def furnish(controller: Controller, school: DemoSchool, *, devices: int) -> None:
    """Wait until the school's simulated devices are found, put them into its room, and give the room its scenes."""
    with controller.changes.subscribe(ChangeKind.DEVICE) as changes:
        news = aiter(changes)
        while len(found := await _devices(controller, school)) < devices:
            await anext(news)
    for device in found:
        await controller.claims.claim(device.id, school.room_id, rights=OWNER, actor=ACTOR)
    await controller.scenes.suggest(school.room_id, rights=OWNER, actor=ACTOR)


async def _devices(controller: Controller, school: DemoSchool) -> list[Device]:
    """The school's devices that have been found and written down."""
    return [stored.device for stored in await controller.store.devices.list([school.id])]


async def keep_a_lesson_ready(controller: Controller) -> None:
    """Plan the next lesson when one has ended, until cancelled: whoever tries the demo may tap again."""
    with controller.changes.subscribe(ChangeKind.LESSON) as changes:
        async for _ in changes:
            await plan_lesson(controller)


async def plan_lesson(controller: Controller) -> None:
    """A lesson of both rooms that can be started now, unless there is one that is not over."""
    now = utc_now()
    ids: Sequence[SchoolId] = [school.id for school in SCHOOLS]
    for lesson in await controller.store.lessons.list(start=now, end=now + LESSON_LENGTH, school_ids=ids):
        if not lesson.state.over:
            return
    wanted = NewLesson(
        host=SCHOOLS[0].id,
        title="Nhịp cầu Thái Nguyên – Nghệ An",
        subject="Tiếng Việt 3",
        start=now,
        end=now + LESSON_LENGTH,
        rooms=[school.room_id for school in SCHOOLS],
    )
    lesson = await controller.planning.plan(wanted, actor=ACTOR, rights=await _teachers_rights(controller, SCHOOLS[0]))
    for school in SCHOOLS[1:]:
        rights = await _teachers_rights(controller, school)
        await controller.participation.answer(
            lesson.id, school.room_id, InvitationState.ACCEPTED, actor=ACTOR, rights=rights
        )


async def _teachers_rights(controller: Controller, school: DemoSchool) -> Rights:
    teacher = next(person for person in school.people if person.role is Role.TEACHER)
    return controller.people.accounts.rights(await controller.people.accounts.named(teacher.name))
