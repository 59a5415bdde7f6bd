"""Projectors that are added by their addresses, over HTTP."""

import pytest

from demo.simulated.machine import Speeds
from demo.simulated.pjlink import Manners, SimulatedPJLink
from devices.device import Availability, DeviceId
from rooms.people.account import Role
from tests.controller.web.house import HOST, House, Visitor
from tests.devices.nativedevice import until
from tests.eventually import eventually

PASSWORD = "0pen-sesame"


async def added(technician: Visitor, simulated: SimulatedPJLink, **more: object) -> dict[str, object]:
    body = {"school": HOST, "gateway": "pjlink", "host": "127.0.0.1", "port": simulated.port, **more}
    status, device = await technician.ask("POST", "/devices", body)
    assert status == 201
    return device


async def test_a_projector_is_added_claimed_and_switched(house: House) -> None:
    simulated = SimulatedPJLink("SIM-9", speeds=Speeds(warm_up_s=0.2))
    technician = await house.program(HOST, Role.TECHNICIAN)
    async with simulated.listening():
        device = await added(technician, simulated, name="Máy chiếu 3A")
        id = DeviceId(str(device["id"]))
        assert (device["name"], device["type"], device["room"]) == ("Máy chiếu 3A", "projector", None)
        await until(house.hub, lambda: house.hub.availability(id)[0] is Availability.ONLINE)
        assert (await technician.ask("POST", f"/devices/{id}/claim", {"room": f"room-{HOST}"}))[0] == 200
        on = {"property": "power", "value": "on", "timeout_s": 20}
        _, result = await technician.ask("POST", f"/devices/{id}/commands", on)
        assert result["state"] == "confirmed"
        assert (await technician.ask("POST", f"/devices/{id}/release"))[0] == 200
        assert (await technician.ask("DELETE", f"/devices/{id}"))[0] == 204
        await eventually(lambda: simulated.clients == 0)
        assert await house.store.device_addresses.all() == ()


async def test_a_password_can_be_given_and_is_in_no_answer(house: House, caplog: pytest.LogCaptureFixture) -> None:
    for ours in ("controller", "devices", "store", "asyncio", "aiohttp"):
        caplog.set_level("DEBUG", logger=ours)
    simulated = SimulatedPJLink("SIM-9", Manners(password=PASSWORD))
    technician = await house.program(HOST, Role.TECHNICIAN)
    async with simulated.listening():
        device = await added(technician, simulated, password="wr0ng-one")
        await eventually(lambda: "authentication_refused" in {each.code for each in house.hub.problems()})
        _, listed = await technician.ask("GET", "/devices")
        problems = listed["problems"]
        assert isinstance(problems, list)
        assert [each["topic"] for each in problems if each["code"] == "authentication_refused"] == [
            f"sc/1/{HOST}/pjlink/127.0.0.1:{simulated.port}"
        ]
        path = f"/devices/{device['id']}/address"
        edited = {"host": "127.0.0.1", "port": simulated.port, "password": PASSWORD}
        _, address = await technician.ask("PUT", path, edited)
        assert address == {"gateway": "pjlink", "host": "127.0.0.1", "port": simulated.port, "has_password": True}
        id = DeviceId(str(device["id"]))
        await until(house.hub, lambda: house.hub.availability(id)[0] is Availability.ONLINE)
        # without one the password stays
        await technician.ask("PUT", path, {"host": "127.0.0.1", "port": simulated.port})
        assert (await house.store.device_addresses.get(id)).password == PASSWORD
        said = [listed, device, address, (await technician.ask("GET", path))[1], *await house.store.audit.list()]
        assert PASSWORD not in f"{said}{caplog.text}"
        assert "wr0ng-one" not in f"{said}{caplog.text}"


@pytest.mark.parametrize(
    ("host", "says"),
    [
        ("8.8.8.8", "invalid-address"),
        ("::1", "invalid-address"),
        ("169.254.169.254", "invalid-address"),
        ("10.0.0", "invalid-address"),
        ("beamer.local", "invalid-request"),
    ],
)
async def test_only_addresses_of_allowed_networks_are_taken(house: House, host: str, says: str) -> None:
    technician = await house.program(HOST, Role.TECHNICIAN)
    body = {"school": HOST, "gateway": "pjlink", "host": host}
    status, problem = await technician.ask("POST", "/devices", body)
    assert (status, problem["type"]) == (422, f"/problems/{says}")


async def test_an_address_has_one_device(house: House) -> None:
    technician = await house.program(HOST, Role.TECHNICIAN)
    body = {"school": HOST, "gateway": "pjlink", "host": "127.0.0.9"}
    assert (await technician.ask("POST", "/devices", body))[0] == 201
    status, problem = await technician.ask("POST", "/devices", body)
    assert (status, problem["type"]) == (409, "/problems/address-in-use")
