"""Displays paired and unpaired, beside real services and a real database."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from controller.changes import ChangeKind
from controller.displays.errors import PairingCodeNotFound
from devices.changes import Change
from rooms.errors import DisplayNotFound, InvalidValue
from rooms.people.account import Role
from rooms.people.errors import Forbidden, HiddenObject
from rooms.people.rights import OWNER
from tests.controller.stage import UNRECORDABLE
from tests.controller.web.house import GUEST, HOST, ROOMS, House, open_house

ROOM = ROOMS[HOST]


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path) as opened:
        yield opened


async def test_a_display_whose_pairing_fails_can_be_paired_by_the_same_code(house: House) -> None:
    pairing, secrets = house.services.pairing, list[str]()
    code = pairing.codes.offer(secrets.append, "10.0.0.1").code
    with pytest.raises(InvalidValue):
        await pairing.pair(code, ROOM.id, "Tivi", rights=OWNER, actor=UNRECORDABLE)
    assert (await house.store.displays.list(ROOM.id), secrets) == ((), [])
    with house.services.changes.subscribe(ChangeKind.ROOM) as changes:
        display = await pairing.pair(code, ROOM.id, "Tivi", rights=OWNER, actor="lan")
        assert await anext(aiter(changes)) == Change(ChangeKind.ROOM, ROOM.id)
    assert (await house.store.displays.list(ROOM.id), len(secrets)) == ((display,), 1)
    with pytest.raises(PairingCodeNotFound):
        await pairing.pair(code, ROOM.id, "Tivi", rights=OWNER, actor="lan")
    assert [each.action for each in await house.store.audit.list(object_kind="display")] == ["display.pair"]


async def test_a_display_whose_unpairing_fails_stays_where_it_is(house: House) -> None:
    pairing, id = house.services.pairing, await house.display()
    with house.services.views.displays.open(id) as sent_away:
        with pytest.raises(InvalidValue):
            await pairing.unpair(id, rights=OWNER, actor=UNRECORDABLE)
        assert ((await house.store.displays.get(id)).room_id, sent_away.is_set()) == (ROOM.id, False)
        await pairing.unpair(id, rights=OWNER, actor="lan")
        assert sent_away.is_set()
    with pytest.raises(DisplayNotFound):
        await house.store.displays.get(id)
    assert [each.action for each in await house.store.audit.list(object_kind="display")] == ["display.unpair"]


@pytest.mark.parametrize(
    ("school", "role", "refusal"), [(HOST, Role.TEACHER, Forbidden), (GUEST, Role.TECHNICIAN, HiddenObject)]
)
async def test_only_those_who_equip_the_rooms_school_pair_and_unpair(
    house: House, school: str, role: Role, refusal: type[Exception]
) -> None:
    pairing, id = house.services.pairing, await house.display()
    [account] = [each for (at, held), each in house.accounts.items() if (at, held) == (school, role)]
    rights = house.people.accounts.rights(account)
    code = pairing.codes.offer(print, "10.0.0.1").code
    with pytest.raises(refusal):
        await pairing.pair(code, ROOM.id, "Tivi", rights=rights, actor=account.id)
    with pytest.raises(refusal):
        await pairing.unpair(id, rights=rights, actor=account.id)
    assert len(await house.store.displays.list(ROOM.id)) == 1
