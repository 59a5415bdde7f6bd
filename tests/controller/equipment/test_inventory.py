"""Devices as lists, from memory; no broker is there."""

from collections.abc import Iterable
from datetime import UTC, datetime

import pytest

from controller.equipment.inventory import Inventory
from devices.device import Device, DeviceId, DeviceRecord, Namespace
from devices.dialects.native import NativeDialect, describe, native_id
from devices.hub import DeviceHub
from devices.mqtt.connection import MqttSettings
from rooms.page import Wanted
from rooms.school import OrganisationId, SchoolId, namespace

AN, BINH = (SchoolId(OrganisationId(each)) for each in ("an", "binh"))


def device(school: SchoolId, name: str, *, model: str = "") -> Device:
    key = name.replace(" ", "-").encode("ascii", "ignore").decode() or "x"
    return Device(
        id=native_id(Namespace(school), "4a", key),
        namespace=Namespace(school),
        dialect="native",
        key=f"4a/{key}",
        name=name,
        model=model,
    )


def restored(devices: Iterable[tuple[Device, str | None]]) -> DeviceHub:
    hub = DeviceHub(
        connection=MqttSettings(host="127.0.0.1", port=1), dialects=[NativeDialect()], clock=lambda: datetime.now(UTC)
    )
    hub.restore(
        DeviceRecord(
            device=each,
            discovery_topic=f"sc/1/{each.namespace}/{each.key}/desc",
            discovery_payload=describe(each),
            room=room,
        )
        for each, room in devices
    )
    return hub


LIGHT, DOOR = device(AN, "Đèn 1"), device(AN, "Cửa")
PROJECTOR, BLIND = device(BINH, "Máy chiếu", model="EB-990U"), device(BINH, "Rèm 2")


@pytest.fixture
def hub() -> DeviceHub:
    return restored([(PROJECTOR, "r1"), (BLIND, None), (LIGHT, None), (DOOR, "r2")])


@pytest.mark.parametrize(
    ("words", "claimed", "found"),
    [
        ((), None, [DOOR, LIGHT, PROJECTOR, BLIND]),
        ((), False, [LIGHT, BLIND]),
        ((), True, [DOOR, PROJECTOR]),
        (("den",), None, [LIGHT]),
        (("chieu", "990"), None, [PROJECTOR]),
        (("chieu", "990"), False, []),
    ],
)
def test_devices_are_listed_by_school_and_name(
    hub: DeviceHub, words: tuple[str, ...], claimed: bool | None, found: list[Device]
) -> None:
    page = Inventory(hub).page(Wanted(limit=9, words=words), {AN, BINH}, claimed=claimed)
    assert ([each.id for each in page.items], page.total) == ([each.id for each in found], len(found))


def test_a_page_goes_on_after_its_place_whatever_has_become_of_that(hub: DeviceHub) -> None:
    inventory = Inventory(hub)
    first = inventory.page(Wanted(limit=2), {AN, BINH})
    hub.forget(first.items[1].id)
    second = inventory.page(Wanted(limit=1, after=first.next), {AN, BINH})
    third = inventory.page(Wanted(limit=1, after=second.next), {AN, BINH})
    assert [each.id for each in (*second.items, *third.items)] == [PROJECTOR.id, BLIND.id]
    assert (second.total, third.next) == (3, None)


def test_lists_follow_what_is_claimed_released_and_forgotten(hub: DeviceHub) -> None:
    inventory = Inventory(hub)

    def inbox() -> list[DeviceId]:
        page = inventory.page(Wanted(limit=9), {AN, BINH}, claimed=False)
        assert page.total == len(page.items)
        return [each.id for each in page.items]

    assert inbox() == [LIGHT.id, BLIND.id]
    hub.claim(LIGHT.id, "r2")
    assert inbox() == [BLIND.id]
    assert {each.id for each in hub.in_room("r2")} == {DOOR.id, LIGHT.id}
    hub.release(LIGHT.id)
    hub.forget(BLIND.id)
    assert inbox() == [LIGHT.id]


def test_a_school_that_is_not_asked_for_is_not_looked_at(hub: DeviceHub) -> None:
    page = Inventory(hub).page(Wanted(limit=9), {BINH})
    assert ({each.namespace for each in page.items}, page.total) == ({namespace(BINH)}, 2)
