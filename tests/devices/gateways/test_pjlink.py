"""Projectors over PJLink, on real TCP connections."""

import asyncio
import logging
import time
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest

from demo.simulated.pjlink import Lie, Manners, SimulatedPJLink
from devices.changes import ChangeKind
from devices.device import Availability, CommandState, DeviceId, DeviceType, Value
from devices.errors import TooManyDevices
from devices.gateways import gateways
from tests.devices.gateways.beamer import (
    ID,
    PACE,
    POWER,
    SPEEDS,
    address,
    codes,
    new_hub,
    online,
    projector,
    reached,
    running,
    send,
    values,
)
from tests.devices.nativedevice import SCHOOL, command, until
from tests.eventually import eventually


async def test_a_projector_is_known_before_it_answers_and_described_once_it_does() -> None:
    async with projector() as simulated, running(new_hub(), address(simulated)) as hub:
        assert [each.name for each in hub.device(ID).properties] == ["power"]
        await online(hub)
        await until(hub, lambda: hub.device(ID).serial == "SIM-1")
    device = hub.device(ID)
    assert (device.type, device.dialect, device.model, device.name) == (
        DeviceType.PROJECTOR,
        "pjlink",
        "SIM-P20",
        "Mô phỏng SIM-P20",
    )
    assert values(hub)["consumable.lamp_hours"] == 812
    assert "av_source" not in {each.name for each in device.properties}  # in standby it names no inputs


async def test_power_is_seen_warming_and_confirmed_once_it_is_on_and_then_more_is_known() -> None:
    async with reached() as (hub, simulated):
        seen: list[Value] = []
        with hub.changes([ID]) as changes:
            sending = asyncio.create_task(send(hub, "power", "on"))
            async for change in changes:
                if change.kind is ChangeKind.REPORTED and values(hub)["power"] not in seen[-1:]:
                    seen.append(values(hub)["power"])
                if "on" in seen:
                    break
        assert (await sending).state is CommandState.CONFIRMED
        assert seen in (["warming", "on"], ["off", "warming", "on"])
        await until(hub, lambda: "av_source" in {each.name for each in hub.device(ID).properties})
        assert hub.device(ID).property(POWER).options == ("on", "off")
        result = await send(hub, "av_source", "HDMI 1")
        assert (result.state, values(hub)["av_source"]) == (CommandState.CONFIRMED, "HDMI 1")
        for name in ("av_mute", "av_mute.freeze"):
            assert (await send(hub, name, True)).state is CommandState.CONFIRMED
        assert list(simulated.received) == ["POWR 1", "INPT 31", "AVMT 31", "FREZ 1"]


async def test_a_busy_projector_is_asked_again_until_it_takes_the_command() -> None:
    async with reached() as (hub, simulated):
        await send(hub, "power", "on")
        off = asyncio.create_task(send(hub, "power", "off"))
        await until(hub, lambda: values(hub)["power"] == "cooling")
        assert (await off).state is CommandState.CONFIRMED
        switching = asyncio.create_task(send(hub, "power", "on"))
        assert (await switching).state is CommandState.CONFIRMED
        simulated.machine.set("power", "off", asyncio.get_running_loop().time())
        result = await send(hub, "power", "on", timeout_s=6)  # it is cooling: ERR3, and later once more
        assert result.state is CommandState.CONFIRMED
        assert list(simulated.received)[-2:] == ["POWR 1", "POWR 1"]


async def test_a_projector_is_asked_at_its_pace_also_while_a_command_waits() -> None:
    async with reached(speeds=replace(SPEEDS, warm_up_s=0.6)) as (hub, simulated):
        before = simulated.queries["POWR"]
        assert (await send(hub, "power", "on")).state is CommandState.CONFIRMED
        assert simulated.queries["POWR"] - before <= 0.6 / PACE.moving_s + 5


async def test_a_command_that_stays_busy_ends_so_at_its_deadline() -> None:
    async with reached(speeds=replace(SPEEDS, warm_up_s=60)) as (hub, _):
        starting = asyncio.create_task(send(hub, "power", "on"))
        await until(hub, lambda: values(hub)["power"] == "warming")
        result = await send(hub, "power", "off", timeout_s=1)
        assert (result.state, result.code) == (CommandState.FAILED, "busy")
        assert (await starting).state is CommandState.SUPERSEDED


@pytest.mark.parametrize("manners", [Manners(protocol_class=1), Manners(lower_case=True), Manners(password="s3cret")])
async def test_other_projectors_do_the_same(manners: Manners) -> None:
    async with reached(manners, password=manners.password) as (hub, _):
        assert (await send(hub, "power", "on")).state is CommandState.CONFIRMED
        await until(hub, lambda: "av_source" in values(hub))
        source = {1: "Digital 1", 2: "HDMI 1"}[manners.protocol_class]
        result = await send(hub, "av_source", source.lower() if manners.lower_case else source)
        assert result.state is CommandState.CONFIRMED
        assert ("av_mute.freeze" in values(hub)) == (manners.protocol_class == 2)


async def test_a_wrong_password_is_said_and_a_right_one_helps(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with (
        projector(Manners(password="r1ght")) as simulated,
        running(new_hub(), address(simulated, password="wr0ng")) as hub,
    ):
        await eventually(lambda: codes(hub) == {"authentication_refused"})
        result = await send(hub, "power", "on", timeout_s=0.3)
        assert (result.state, result.code) == (CommandState.EXPIRED, "authentication_refused")
        assert not simulated.received
        hub.connect(address(simulated, password="r1ght"))
        await online(hub)
        assert codes(hub) == set()
        assert (await send(hub, "power", "on")).state is CommandState.CONFIRMED
    assert "r1ght" not in caplog.text
    assert "wr0ng" not in caplog.text + repr(address(simulated, password="wr0ng"))


async def test_a_password_that_nobody_gave_is_asked_for() -> None:
    async with projector(Manners(password="x")) as simulated, running(new_hub(), address(simulated)) as hub:
        await eventually(lambda: codes(hub) == {"authentication_refused"})
        assert simulated.connections >= 1


@pytest.mark.parametrize(
    ("lie", "code"), [(Lie.GARBAGE, "invalid_answer"), (Lie.ENDLESS, "invalid_answer"), (Lie.SLOW, "no_answer")]
)
async def test_a_projector_that_makes_no_sense_is_unavailable_and_its_neighbour_works(lie: Lie, code: str) -> None:
    async with (
        projector(Manners(lie=lie)) as broken,
        projector() as well,
        running(new_hub(), address(broken, id=DeviceId("d-broken")), address(well)) as hub,
    ):
        await online(hub)
        assert (await send(hub, "power", "on")).state is CommandState.CONFIRMED
        await eventually(lambda: codes(hub) == {code})
        broken.manners.lie = Lie.NONE
        await broken.cut()
        await online(hub, DeviceId("d-broken"))
        assert codes(hub) == set()
        assert broken.most_clients == 1


async def test_a_command_cut_off_half_way_is_given_again_once_the_projector_is_back() -> None:
    async with reached() as (hub, simulated):
        simulated.manners.lie = Lie.HANGS_UP
        sending = asyncio.create_task(send(hub, "power", "on"))
        await eventually(lambda: len(simulated.received) > 0)
        simulated.manners.lie = Lie.NONE
        assert (await sending).state is CommandState.CONFIRMED


async def test_a_projector_that_is_gone_is_offline_and_its_commands_expire_unsent() -> None:
    simulated, hub = SimulatedPJLink("SIM-1", speeds=SPEEDS), new_hub()
    async with AsyncExitStack() as stack:
        async with simulated.listening():
            await stack.enter_async_context(running(hub, address(simulated)))
            await online(hub)
        await until(hub, lambda: hub.availability(ID)[0] is Availability.OFFLINE)
        result = await send(hub, "power", "on", timeout_s=0.3)
        assert (result.state, result.code) == (CommandState.EXPIRED, "device_offline")
        async with simulated.listening(port=simulated.port):
            await online(hub)
            assert not simulated.received


async def test_silence_while_it_switches_on_is_no_absence() -> None:
    async with reached(Manners(quiet_s=4), speeds=replace(SPEEDS, warm_up_s=4.1)) as (hub, simulated):
        states = []
        with hub.changes([ID]) as changes:
            sending = asyncio.create_task(send(hub, "power", "on", timeout_s=20))
            async for change in changes:
                states.append(hub.availability(ID)[0])
                if change.kind is ChangeKind.REPORTED and values(hub)["power"] == "on":
                    break
        assert (await sending).state is CommandState.CONFIRMED
        assert set(states) == {Availability.ONLINE}
        assert list(simulated.received) == ["POWR 1"]


async def test_between_two_readings_the_projector_is_left_to_others() -> None:
    async with reached() as (hub, simulated):
        before = simulated.connections
        await eventually(lambda: simulated.connections >= before + 3)
        await eventually(lambda: simulated.clients == 0)
        assert simulated.most_clients == 1
        assert hub.availability(ID)[0] is Availability.ONLINE


async def test_what_somebody_does_at_the_projector_is_seen_and_not_taken_for_done() -> None:
    async with reached() as (hub, simulated):
        await send(hub, "power", "on")
        simulated.machine.set("power", "off", asyncio.get_running_loop().time())
        # what was read says "on": a polled value does not confirm a command that was never given
        assert (await send(hub, "power", "on", timeout_s=6)).state is CommandState.CONFIRMED
        assert list(simulated.received).count("POWR 1") >= 2


async def test_a_projectors_errors_are_values() -> None:
    async with reached(Manners(errors="010002")) as (hub, _):
        await until(hub, lambda: "health" in values(hub))
        health = {name: value for name, value in values(hub).items() if name.startswith("health")}
        assert health == {
            "health": "fault",
            "health.fan": "ok",
            "health.lamp": "warning",
            "health.temperature": "ok",
            "health.cover": "ok",
            "health.filter": "ok",
            "health.other": "fault",
        }


async def test_a_restart_knows_the_projector_with_its_inputs_before_it_answers() -> None:
    async with reached() as (hub, simulated):
        await send(hub, "power", "on")
        await until(hub, lambda: "av_source" in values(hub))
        record = hub.record(ID)
        again = new_hub()
        again.restore([replace(record, room="4a")], [address(simulated)])
        assert again.device(ID) == record.device
        assert not any(each.fresh for each in again.reported(ID).values())
        async with running(again):
            hub.forget(ID)
            assert (await again.send(command(ID, POWER, "off"))).state is CommandState.CONFIRMED


async def test_a_forgotten_projector_is_left_alone() -> None:
    async with reached() as (hub, simulated):
        hub.forget(ID)
        await eventually(lambda: simulated.clients == 0)
        task_names = {each.get_name() for each in asyncio.all_tasks()}
        assert f"talk to device {ID}" not in task_names


async def test_problems_of_an_address_end_with_it() -> None:
    async with projector(Manners(password="x")) as simulated, running(new_hub(), address(simulated)) as hub:
        await eventually(lambda: codes(hub) == {"authentication_refused"})
        async with projector() as other:
            hub.connect(address(other))
            assert codes(hub) == set()
            hub.connect(address(simulated))
            await eventually(lambda: codes(hub) == {"authentication_refused"})
            hub.forget(ID)
            assert codes(hub) == set()


async def test_a_projector_has_its_schools_share_and_no_more() -> None:
    async with reached() as (hub, simulated):
        lane = hub._intake._shares.lane(SCHOOL)
        lane.budget_ns, lane.counted_ns = -200_000_000, time.monotonic_ns()  # 1 s of a fifth of a core
        simulated.manners.errors = "100000"
        before = simulated.connections
        await eventually(lambda: simulated.connections >= before + 4)
        assert (len(lane.waiting), values(hub)["health"]) == (1, "ok")  # of several readings the newest waits
        await until(hub, lambda: values(hub)["health"] == "warning")


async def test_a_school_has_so_many_addresses_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateways, "SCHOOL_DEVICES_LIMIT", 1)
    async with reached() as (hub, simulated):
        with pytest.raises(TooManyDevices):
            hub.device_at(address(simulated, id=DeviceId("d-second")))
        hub.forget(ID)
        assert hub.device_at(address(simulated, id=DeviceId("d-second"))).dialect == "pjlink"
