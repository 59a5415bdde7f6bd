"""Two schools with their rooms, devices and a linked lesson, for tests."""

from datetime import UTC, datetime, timedelta

from devices.device import Capability, Device, DeviceRecord, Kind, Property, PropertyName, device_id
from rooms.lesson import Lesson, LessonId
from rooms.room import Room, RoomId
from rooms.school import Organisation, OrganisationId, OrganisationKind, SchoolId, namespace
from store import Store

NINE = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)  # nine in Việt Nam
MINUTE = timedelta(minutes=1)

XUAN = SchoolId(OrganisationId("nguyen-viet-xuan"))
LOI = SchoolId(OrganisationId("le-loi"))
XUAN_SCHOOL = Organisation(
    id=XUAN, kind=OrganisationKind.SCHOOL, name="Trường Tiểu học Nguyễn Viết Xuân", province="Thái Nguyên"
)
LOI_SCHOOL = Organisation(id=LOI, kind=OrganisationKind.SCHOOL, name="Trường Tiểu học Lê Lợi", province="Nghệ An")
XUAN_ROOM = Room(id=RoomId("xuan-4a"), school_id=XUAN, name="4A")
XUAN_OTHER = Room(id=RoomId("xuan-4b"), school_id=XUAN, name="4B")
LOI_ROOM = Room(id=RoomId("loi-4a"), school_id=LOI, name="4A")

POWER = PropertyName("power")


def lesson(
    name: str = "lesson-1", *rooms: Room, start: datetime = NINE, minutes: int = 35, host: SchoolId = XUAN
) -> Lesson:
    """A lesson of `host`, in the first room of both schools unless said otherwise."""
    return Lesson.planned(
        id=LessonId(name),
        title="Sông Hồng",
        subject="Địa lí",
        host_school_id=host,
        start=start,
        end=start + minutes * MINUTE,
        rooms=rooms or (XUAN_ROOM, LOI_ROOM),
    )


def projector(school: SchoolId = XUAN, key: str = "p1") -> DeviceRecord:
    """A projector in the inbox of a school."""
    power = Property(name=POWER, capability=Capability.POWER, kind=Kind.ENUM, options=("on", "off"), settable=True)
    device = Device(
        id=device_id(namespace(school), "native", key),
        namespace=namespace(school),
        dialect="native",
        key=key,
        name="Máy chiếu",
        type="projector",
        properties=(power,),
    )
    return DeviceRecord(
        device=device, discovery_topic=f"sc/1/{school}/4a/{key}/desc", discovery_payload=b'{"id":"p1"}\x00\xff'
    )


async def plant(store: Store) -> None:
    """Store both schools and their rooms."""
    for school in (XUAN_SCHOOL, LOI_SCHOOL):
        await store.organisations.add(school)
    for room in (XUAN_ROOM, XUAN_OTHER, LOI_ROOM):
        await store.rooms.add(room)
