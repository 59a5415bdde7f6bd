"""A made-up department's database: schools, rooms, claimed devices, people, and a day of linked lessons.

`python -m bench.province.database DIRECTORY [--schools 631] [--url sqlite|postgresql://…]` writes a configuration, the
database and `tokens.json` into DIRECTORY, for `nhipcau run --config DIRECTORY/config.yaml`. Names are numbers: the same
arguments give the same rows, and nobody's data is in them.
"""

import argparse
import asyncio
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

from sqlalchemy import Table, insert

from controller.people.secret import hash_of, new_secret
from controller.people.tokens import PREFIX
from devices.device import Capability, Device, DeviceId, DeviceType, Kind, Namespace, Property, PropertyName
from devices.dialects.native import NAME, describe, native_id
from rooms.floor import Mode
from rooms.invitation import InvitationState
from rooms.lesson import EndReason, LessonKind, LessonState
from rooms.people.account import AccountId, Role
from rooms.school import OrganisationKind
from store import Store, open_store
from store.people_tables import AccountRow, RoleRow, TokenRow
from store.stored_device import device_to_json
from store.tables import Base, DeviceRow, LessonRow, OrganisationRow, RoomRow, SceneRow, SiteRow

DEPARTMENT = "so"
ZONE = "Asia/Ho_Chi_Minh"
ROOMS = 19  # of a school
DEVICES = 8  # of a room
LESSONS = 6  # a day that a school hosts; each has a room of the next school as its guest
FIRST_LESSON = timedelta(minutes=30)  # after the database is made
LESSON_EVERY = timedelta(minutes=50)
LESSON_LENGTH = timedelta(minutes=45)
TEACHERS = 20  # of a school
SCHOOLS_WITH_TEACHERS = 25
WRITTEN_AT_ONCE = 5_000

_READINGS = ("temperature", "humidity", "co2", "illuminance")


@dataclass(frozen=True, slots=True)
class Size:
    """How much of everything there is."""

    schools: int

    @property
    def rooms(self) -> int:
        return self.schools * ROOMS

    @property
    def devices(self) -> int:
        return self.rooms * DEVICES


def school_id(number: int) -> str:
    return f"truong-{number:03}"


def room_id(school: int, number: int) -> str:
    return f"r-{school:03}-{number:02}"


def device(school: int, room: int, number: int) -> Device:
    """A native light of five properties: on or off, and four readings."""
    namespace, hint = Namespace(school_id(school)), f"p{room:02}"
    return Device(
        id=native_id(namespace, hint, f"den-{number}"),
        namespace=namespace,
        dialect=NAME,
        key=f"{hint}/den-{number}",
        name=f"Đèn {number}",
        type=DeviceType.LIGHT,
        suggested_room=hint,
        properties=(
            Property(
                name=PropertyName("power"),
                capability=Capability.POWER,
                kind=Kind.ENUM,
                options=("off", "on"),
                settable=True,
            ),
            *(Property(name=PropertyName(name), capability=Capability(name), kind=Kind.NUMBER) for name in _READINGS),
        ),
    )


async def fill(store: Store, size: Size, now: datetime) -> dict[str, list[str]]:
    """Write all rows. Returns API tokens: `{"officer": [token], "truong-000": [token of a teacher, …], …}`."""
    await _write(store, OrganisationRow, _organisations(size))
    await _write(store, RoomRow, _rooms(size))
    await _write(store, DeviceRow, _devices(size))
    await _write(store, SceneRow, _scenes(size))
    await _write(store, LessonRow, _lessons(size, now))
    await _write(store, SiteRow, _sites(size))
    return await _people(store, size, now)


async def _write(store: Store, table: type[Base], rows: Iterable[dict[str, object]]) -> None:
    of = table.__table__
    assert isinstance(of, Table)
    left = iter(rows)
    while batch := list(islice(left, WRITTEN_AT_ONCE)):
        async with store.writing() as db:
            await db.execute(insert(of), batch)


def _organisations(size: Size) -> Iterator[dict[str, object]]:
    def row(id: str, parent: str | None, kind: OrganisationKind, name: str) -> dict[str, object]:
        return {"id": id, "parent_id": parent, "kind": kind, "name": name, "province": "Tỉnh A", "timezone": ZONE}

    yield row(DEPARTMENT, None, OrganisationKind.DEPARTMENT, "Sở GD&ĐT tỉnh A")
    for number in range(size.schools):
        yield row(school_id(number), DEPARTMENT, OrganisationKind.SCHOOL, f"Trường số {number:03}")


def _rooms(size: Size) -> Iterator[dict[str, object]]:
    for school in range(size.schools):
        for number in range(ROOMS):
            yield {
                "id": room_id(school, number),
                "school_id": school_id(school),
                "name": f"Phòng {number:02}",
                "folded": f"phong {number:02}",
                "version": 1,
                "deleted_at": None,
            }


def _devices(size: Size) -> Iterator[dict[str, object]]:
    for school in range(size.schools):
        for room in range(ROOMS):
            for number in range(DEVICES):
                each = device(school, room, number)
                yield {
                    "id": each.id,
                    "school_id": school_id(school),
                    "room_id": room_id(school, room),
                    "device": device_to_json(each),
                    "discovery_topic": f"sc/1/{school_id(school)}/{each.key}/desc",
                    "discovery_payload": describe(each),
                    "reported": {},
                }


def _scenes(size: Size) -> Iterator[dict[str, object]]:
    """The scene `lesson` of each room that hosts lessons: its first light on."""
    for school in range(size.schools):
        for room in range(LESSONS):
            yield {
                "room_id": room_id(school, room),
                "name": "lesson",
                "version": 1,
                "steps": [_step(device(school, room, 0).id)],
            }


def _step(id: DeviceId) -> dict[str, object]:
    return {
        "id": "light",
        "device_id": id,
        "property": "power",
        "value": "on",
        "importance": "useful",
        "deadline": "PT10S",
        "after": [],
        "needs": [],
    }


def lesson_id(school: int, number: int) -> str:
    return f"l-{school:03}-{number}"


def _lessons(size: Size, now: datetime) -> Iterator[dict[str, object]]:
    for school in range(size.schools):
        for number in range(LESSONS):
            start = now + FIRST_LESSON + number * LESSON_EVERY
            yield {
                "id": lesson_id(school, number),
                "title": f"Tiết {number + 1}",
                "subject": "Toán",
                "folded": f"tiet {number + 1} toan",
                "kind": LessonKind.LESSON,
                "host_school_id": school_id(school),
                "start_at": start,
                "end_at": start + LESSON_LENGTH,
                "state": LessonState.SCHEDULED,
                "started_at": None,
                "ended_at": None,
                "end_reason": EndReason.NONE,
                "mode": Mode.DISCUSSION,
                "floor_room_id": None,
                "floor_until": None,
                "version": 1,
            }


def _sites(size: Size) -> Iterator[dict[str, object]]:
    """Room `number` of the host, and room `LESSONS + number` of the next school, which has accepted."""
    for school in range(size.schools):
        for number in range(LESSONS):
            guest = (school + 1) % size.schools
            for position, (of, room) in enumerate(((school, number), (guest, LESSONS + number))):
                yield {
                    "lesson_id": lesson_id(school, number),
                    "room_id": room_id(of, room),
                    "school_id": school_id(of),
                    "position": position,
                    "invitation": InvitationState.ACCEPTED,
                    "overridden": [],
                }


async def _people(store: Store, size: Size, now: datetime) -> dict[str, list[str]]:
    """The department's officer (today: its administrator), and teachers of the first schools."""
    who = [("officer", DEPARTMENT, Role.ADMINISTRATOR), ("technician", school_id(0), Role.ADMINISTRATOR)]
    for school in range(min(size.schools, SCHOOLS_WITH_TEACHERS)):
        id = school_id(school)
        who += [(f"teacher-{school:03}-{number:02}", id, Role.TEACHER) for number in range(TEACHERS)]
    secrets = {name: PREFIX + new_secret() for name, _, _ in who}
    await _write(store, AccountRow, (_account(name, now) for name, _, _ in who))
    await _write(
        store,
        RoleRow,
        ({"account_id": AccountId(f"a-{name}"), "organisation_id": at, "role": role} for name, at, role in who),
    )
    await _write(store, TokenRow, (_token(name, secrets[name], now) for name, _, _ in who))
    tokens: dict[str, list[str]] = {}
    for name, at, _ in who:
        tokens.setdefault(at if name.startswith("teacher") else name, []).append(secrets[name])
    return tokens


def _account(name: str, now: datetime) -> dict[str, object]:
    return {
        "id": f"a-{name}",
        "name": name,
        "display_name": name,
        "folded": f"{name} {name}",
        "language": "vi",
        "password_hash": None,
        "created_at": now,
    }


def _token(name: str, secret: str, now: datetime) -> dict[str, object]:
    return {
        "id": f"t-{name}",
        "account_id": f"a-{name}",
        "name": "bench",
        "secret_hash": hash_of(secret),
        "created_at": now,
        "expires_at": now + timedelta(days=30),
    }


async def make(directory: Path, size: Size, url: str) -> None:
    """Write `config.yaml`, the database and `tokens.json` into `directory`."""
    data = directory / "data"
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    (directory / "config.yaml").write_text(
        f"data_dir: data\nhttp:\n  listen: auto\ndatabase:\n  url: {url}\nmqtt:\n  embedded:\n    listen: auto\n"
        "bridge:\n  local:\n    udp_listen: 127.0.0.1:0\nlogging:\n  level: warning\n"
    )
    async with open_store(f"sqlite:///{data}/nhipcau.sqlite" if url == "sqlite" else url) as store:
        tokens = await fill(store, size, datetime.now(UTC).replace(microsecond=0))
    (directory / "tokens.json").write_text(json.dumps(tokens))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--schools", type=int, default=631)
    parser.add_argument("--url", default="sqlite", help="`sqlite`, or a PostgreSQL URL")
    arguments = parser.parse_args()
    asyncio.run(make(arguments.directory, Size(arguments.schools), arguments.url))


if __name__ == "__main__":
    main()
