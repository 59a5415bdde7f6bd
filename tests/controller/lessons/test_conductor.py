"""Lessons as the conductor holds them: real database, real broker and devices, a real bridge node as child process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest

from controller.config.model import BridgeConfig, RemoteNodeConfig, Secret
from controller.displays.media_tokens import MediaGrant
from controller.displays.report import SiteDisplay
from controller.lessons.conductor import Conductor
from controller.lessons.endings import ENDING_MEMORY
from controller.lessons.lesson_run import Plan, read_plan
from controller.nodes.bridge_report import bridge_slots
from controller.nodes.bridges import Nodes
from controller.nodes.http import node_session
from controller.nodes.lease import Registration
from controller.nodes.node import Node
from controller.processes.own_time import own_time
from controller.views.readiness import SiteDevices
from controller.views.views import Views
from demo.whip_client import play, publish
from rooms.errors import InvalidState, RoomBusy, StoreUnavailable
from rooms.invitation import InvitationState
from rooms.lesson import EndReason, Lesson, LessonState
from rooms.scene import StepState
from store import Store
from testing.webrtc.nodes import SECRET, node_process
from tests.controller.conducted import GRACE, LESSON, House, call, confirmed, report, site, states
from tests.controller.stage import Stage, running
from tests.devices.nativedevice import LEVEL, until
from tests.rooms.samples import LOI_ROOM, MINUTE, XUAN_OTHER, XUAN_ROOM
from tests.webrtc.pictures import Picture, Tone
from webrtc.shared.policy import Policy


async def test_one_tap_makes_both_rooms_ready(house: House) -> None:
    await house.plan()
    async with (
        asyncio.timeout(60),
        house.stage.classroom(XUAN_ROOM),
        house.stage.classroom(LOI_ROOM),
        house.conducted() as (conductor, views),
    ):
        displays = [await house.pair(views, room, f"display-{room.id}") for room in (XUAN_ROOM, LOI_ROOM)]
        await conductor.start(LESSON, "teacher")
        await house.until(house.held)
        xuan, loi = [await call(views, display) for display in displays]
        assert [each.id for each in xuan.rooms] == [LOI_ROOM.id]
        async with (
            publish(house.media(xuan.whip.url), xuan.whip.token, [Picture(200), Tone()]),
            publish(house.media(loi.whip.url), loi.whip.token, [Picture(90), Tone()]),
            play(house.media(loi.whep.url), loi.whep.token),
        ):
            for display in displays:
                views.displays.report(display, report())
            view = await house.until_view(views, lambda view: all(each.ready for each in view.sites))
            await house.until_view(views, lambda view: site(view, LOI_ROOM).media.receiving)
        assert [each.devices.state for each in view.sites] == [SiteDevices.READY] * 2
        assert [each.display.state for each in view.sites] == [SiteDisplay.JOINED] * 2
        assert [each.problems for each in view.sites] == [(), ()]
        seen = [(await call(views, display)).slots for display in displays]
        assert set(seen[1].values()) <= {XUAN_ROOM.id, None}


async def test_second_start_and_second_end_change_nothing(house: House) -> None:
    await house.plan()
    async with house.conducted() as (conductor, _):
        await conductor.start(LESSON, "teacher")
        await house.until(house.held)
        epoch, started = house.nodes.epoch(LESSON), await house.store.lessons.get(LESSON)
        await conductor.start(LESSON, "another")
        assert (house.nodes.epoch(LESSON), await house.store.lessons.get(LESSON)) == (epoch, started)
        await conductor.end(LESSON, "teacher", EndReason.TAP)
        ended = await house.store.lessons.get(LESSON)
        await conductor.end(LESSON, "another", EndReason.TAP)
        assert await house.store.lessons.get(LESSON) == ended
        assert ended.end_reason is EndReason.TAP
        with pytest.raises(InvalidState):
            await conductor.start(LESSON, "teacher")
    assert await house.audited() == [("teacher", "lesson.start"), ("teacher", "lesson.end")]


async def test_ten_taps_at_once_start_one_lesson(house: House) -> None:
    await house.plan()
    async with house.conducted() as (conductor, _):
        await asyncio.gather(*(conductor.start(LESSON, "teacher") for _ in range(10)))
        await house.until(house.held)
        assert conductor.in_lesson(XUAN_ROOM.id)
    assert await house.audited() == [("teacher", "lesson.start")]


async def test_conductor_that_stops_leaves_nothing_running(house: House) -> None:
    await house.plan()
    await house.until_nodes(lambda: house.nodes.connected)
    before = asyncio.all_tasks()
    async with house.conducted() as (conductor, _):
        await conductor.start(LESSON, "teacher")
        await house.until(house.held)
        await conductor.end(LESSON, "teacher", EndReason.TAP)
    assert asyncio.all_tasks() <= before
    await house.nodes.ensure(LESSON, Policy())  # and is not disturbed by what nodes say then
    await house.until_bridges({LESSON})


async def test_what_was_never_live_does_not_end_and_what_is_far_off_does_not_start(house: House) -> None:
    await house.plan(begins=120 * MINUTE)
    async with house.conducted() as (conductor, _):
        with pytest.raises(InvalidState):
            await conductor.end(LESSON, "teacher", EndReason.TAP)
        with pytest.raises(InvalidState):
            await conductor.start(LESSON, "teacher")
    assert await house.audited() == []


async def test_end_puts_the_rooms_to_rest_and_closes_the_bridge(house: House) -> None:
    await house.plan(XUAN_ROOM)
    async with asyncio.timeout(60), house.stage.classroom(XUAN_ROOM) as room, house.conducted() as (conductor, views):
        display = await house.pair(views, XUAN_ROOM, "display")
        await conductor.start(LESSON, "teacher")
        await house.until_view(views, confirmed(XUAN_ROOM))
        await house.until(house.held)
        await conductor.end(LESSON, "teacher", EndReason.TAP)
        assert (await views.display_states.state(display)).call is None
        await house.until_view(views, confirmed(XUAN_ROOM, "off projector", "up motor_screen", "bright light"))
        await house.until_bridges(set())
        assert room.devices["projector"].received[-1].value == "off"
        assert not conductor.in_lesson(XUAN_ROOM.id)


async def test_new_conductor_takes_up_a_live_lesson_and_its_bridge(house: House) -> None:
    await house.plan(XUAN_ROOM)
    async with asyncio.timeout(60), house.stage.classroom(XUAN_ROOM) as room:
        async with house.conducted() as (conductor, views):
            await conductor.start(LESSON, "teacher")
            await house.until_view(views, confirmed(XUAN_ROOM))
            await house.until(house.held)
        epoch, orders = house.nodes.epoch(LESSON), list(room.devices["projector"].received)
        async with house.conducted() as (conductor, views):
            await house.until_view(views, confirmed(XUAN_ROOM))
            assert conductor.in_lesson(XUAN_ROOM.id)
            assert house.nodes.epoch(LESSON) == epoch
            assert list(room.devices["projector"].received) == orders


@pytest.mark.parametrize("long_ago", [False, True])
async def test_lesson_that_ended_while_nobody_conducted_is_put_to_rest(house: House, long_ago: bool) -> None:
    await house.plan(XUAN_ROOM)
    async with asyncio.timeout(60), house.stage.classroom(XUAN_ROOM):
        async with house.conducted() as (conductor, views):
            await conductor.start(LESSON, "teacher")
            await house.until_view(views, confirmed(XUAN_ROOM))
            await house.until(house.held)
        await house.store.lessons.end(LESSON, house.clock(), EndReason.TAP)
        if long_ago:
            house.clock.move(ENDING_MEMORY)
        async with house.conducted() as (_, views):
            await house.until_bridges(set())
            if long_ago:  # somebody may use the room for something else by now
                assert states(await views.lessons.get(LESSON), XUAN_ROOM) == {}
            else:
                await house.until_view(views, confirmed(XUAN_ROOM, "off projector"))


async def test_media_go_on_while_nodes_and_conductor_are_made_anew(stage: Stage) -> None:
    async with node_process() as process, aiohttp.ClientSession() as http, own_time() as counted, asyncio.timeout(60):
        remote = RemoteNodeConfig(url=process.node.url, secret=Secret(SECRET))

        @asynccontextmanager
        async def controller() -> AsyncIterator[tuple[House, Conductor, Views]]:
            nodes = Nodes(BridgeConfig(nodes=(remote,)), data_dir=stage.directory, http=http, own_time=counted)
            house = House(stage, nodes, http)
            async with running(nodes.run()), house.conducted() as (conductor, views):
                yield house, conductor, views

        async with controller() as (house, conductor, views):
            await house.plan()
            display = await house.pair(views, XUAN_ROOM, "display")
            await conductor.start(LESSON, "teacher")
            await house.until(house.held)
            given = await call(views, display)
        async with publish(process.node.url + given.whip.url, given.whip.token, [Picture(200)]) as session:
            await session.connected()
            async with controller() as (house, _, views):
                await house.until_view(views, lambda view: site(view, XUAN_ROOM).media.video)
                assert house.nodes.epoch(LESSON) == given.epoch


async def test_start_that_was_cut_off_is_finished_by_the_next(house: House) -> None:
    await house.plan()
    async with house.conducted() as (conductor, _):
        await house.store.lessons.start(LESSON, house.clock())
        await conductor.start(LESSON, "teacher")
        await house.until(house.held)
        assert conductor.in_lesson(LOI_ROOM.id)


async def test_killed_node_gives_the_lesson_another_epoch(house: House) -> None:
    await house.plan()
    async with house.conducted() as (conductor, views):
        display = await house.pair(views, XUAN_ROOM, "display")
        await conductor.start(LESSON, "teacher")
        await house.until(house.held)
        before = (await call(views, display)).epoch
        house.kill_node()
        await house.until(lambda: house.nodes.epoch(LESSON) not in (None, before))
        assert (await call(views, display)).epoch == house.nodes.epoch(LESSON)
        assert (await views.lessons.get(LESSON)).epoch == house.nodes.epoch(LESSON)


async def test_value_changed_by_hand_is_respected_after_a_restart(house: House) -> None:
    await house.plan(XUAN_ROOM)
    async with asyncio.timeout(60), house.stage.classroom(XUAN_ROOM) as room:
        light = room.devices["lights"]
        async with house.conducted() as (conductor, views):
            await conductor.start(LESSON, "teacher")
            await house.until_view(views, confirmed(XUAN_ROOM))
            light.machine.set("level", 90, 0.0)
            await house.stage.greet(XUAN_ROOM)
            await house.until_view(views, lambda view: states(view, XUAN_ROOM)["dim light"] is StepState.OVERRIDDEN)
            async with asyncio.timeout(10):
                while not (await house.store.lessons.get(LESSON)).site(XUAN_ROOM.id).overridden:
                    pass
        orders = len(light.received)
        async with house.conducted() as (_, views):
            view = await house.until_view(views, lambda view: site(view, XUAN_ROOM).devices.state is SiteDevices.READY)
            assert states(view, XUAN_ROOM)["dim light"] is StepState.OVERRIDDEN
        assert len(light.received) == orders


async def test_lesson_past_its_end_and_grace_is_ended_by_time(house: House) -> None:
    await house.plan(begins=-34 * MINUTE - timedelta(seconds=59), minutes=35)
    async with house.conducted() as (conductor, views):
        await conductor.start(LESSON, "teacher")
        ended = await house.until_view(views, lambda view: view.lesson.state is LessonState.ENDED)
        assert ended.lesson.end_reason is EndReason.TIME
        assert ended.lesson.ended_at is not None
        assert ended.lesson.ended_at >= ended.lesson.end + GRACE
        async with asyncio.timeout(10):  # the page is told before the log is written
            while await house.audited() != [("teacher", "lesson.start"), ("time", "lesson.end")]:
                pass


async def test_overdue_lesson_is_not_begun_again_by_a_restart(house: House) -> None:
    await house.plan(XUAN_ROOM)
    await house.store.lessons.start(LESSON, house.clock())
    house.clock.move(24 * 60 * MINUTE)
    async with asyncio.timeout(60), house.stage.classroom(XUAN_ROOM) as room, house.conducted() as (_, views):
        await house.until_view(views, confirmed(XUAN_ROOM, "off projector"))
        assert await house.state() is LessonState.ENDED
        assert [order.value for order in room.devices["projector"].received] in ([], ["off"])


async def test_lesson_that_nobody_started_is_cancelled(house: House) -> None:
    await house.plan(begins=-36 * MINUTE)
    async with house.conducted() as (_, views):
        view = await house.until_view(views, lambda view: view.lesson.state is LessonState.CANCELLED)
    assert view.lesson.end_reason is EndReason.NOT_STARTED
    assert await house.audited() == [("time", "lesson.cancel")]


async def test_next_lesson_takes_the_room_and_the_other_room_is_put_to_rest(house: House) -> None:
    first = await house.plan(XUAN_ROOM, XUAN_OTHER, minutes=5)
    second = await house.plan(XUAN_ROOM, id="lesson-2", begins=5 * MINUTE)
    async with (
        asyncio.timeout(60),
        house.stage.classroom(XUAN_ROOM) as taken,
        house.stage.classroom(XUAN_OTHER),
        house.conducted() as (conductor, views),
    ):
        await conductor.start(first.id, "teacher")
        await house.until_view(views, confirmed(XUAN_OTHER))
        with pytest.raises(RoomBusy):
            await conductor.start(second.id, "teacher")
        house.clock.move(4 * MINUTE + timedelta(seconds=1))
        await conductor.start(second.id, "teacher")
        await house.until_view(views, confirmed(XUAN_ROOM), id=second.id)
        await house.until_view(views, confirmed(XUAN_OTHER, "off projector"), id=first.id)
        await house.until_bridges({second.id})
        assert (await house.store.lessons.get(first.id)).end_reason is EndReason.TIME
        assert taken.devices["projector"].machine.values(asyncio.get_running_loop().time())["power"] == "on"


async def test_end_scene_stops_where_the_next_lesson_begins(house: House) -> None:
    first = await house.plan(XUAN_ROOM, minutes=5)
    second = await house.plan(XUAN_ROOM, id="lesson-2", begins=5 * MINUTE)
    async with asyncio.timeout(60), house.stage.classroom(XUAN_ROOM) as room, house.conducted() as (conductor, views):
        end = await house.store.scenes.get(XUAN_ROOM.id, "end")
        up, bright = (next(each for each in end.steps if each.id.startswith(name)) for name in ("up-", "bright-"))
        slow = replace(end, steps=(up, replace(bright, after=(up.id,))))
        await house.store.scenes.put(slow, expected_version=end.version)
        await conductor.start(first.id, "teacher")
        await house.until_view(views, confirmed(XUAN_ROOM))
        house.clock.move(4 * MINUTE + timedelta(seconds=1))
        await conductor.start(second.id, "teacher")
        await house.until_view(views, confirmed(XUAN_ROOM), id=second.id)
        assert [order.value for order in room.devices["lights"].received] == [40]


async def test_guest_that_leaves_is_out_of_the_bridge_and_at_rest_while_the_lesson_goes_on(house: House) -> None:
    await house.plan()
    async with asyncio.timeout(60), house.stage.classroom(LOI_ROOM), house.conducted() as (conductor, views):
        display = await house.pair(views, LOI_ROOM, "display")
        await conductor.start(LESSON, "teacher")
        await house.until_view(views, confirmed(LOI_ROOM))
        await house.until(house.held)
        given = await call(views, display)
        async with publish(house.media(given.whip.url), given.whip.token, [Picture(90)]):
            await house.until_view(views, lambda view: site(view, LOI_ROOM).media.video)
            epoch = house.nodes.epoch(LESSON)
            await house.store.lessons.set_invitation(LESSON, LOI_ROOM.id, InvitationState.DECLINED)
            await conductor.look(LESSON)
            await house.until_view(views, lambda view: not site(view, LOI_ROOM).media.video)
            assert (await views.display_states.state(display)).call is None
            light = house.stage.device(LOI_ROOM, "light").id
            await until(house.stage.hub, lambda: house.stage.hub.reported(light)[LEVEL].value == 100)
            assert house.nodes.epoch(LESSON) == epoch
            assert conductor.in_lesson(XUAN_ROOM.id)


async def test_lesson_ended_by_mistake_goes_on_with_its_rooms_and_a_bridge(house: House) -> None:
    await house.plan()
    async with asyncio.timeout(60), house.stage.classroom(LOI_ROOM), house.conducted() as (conductor, views):
        display = await house.pair(views, LOI_ROOM, "display")
        await conductor.start(LESSON, "teacher")
        await house.until_view(views, confirmed(LOI_ROOM))
        await house.until(house.held)
        for _ in range(2):
            await conductor.end(LESSON, "teacher", EndReason.TAP)
            assert (await views.lessons.get(LESSON)).resumable_until is not None
            assert (await views.display_states.state(display)).call is None
            await conductor.resume(LESSON, "teacher")
            await conductor.resume(LESSON, "teacher")
            await house.until_view(views, confirmed(LOI_ROOM))
            await house.until_bridges({LESSON})
            given = await call(views, display)
            async with publish(house.media(given.whip.url), given.whip.token, [Picture(90)]):
                await house.until_view(views, lambda view: site(view, LOI_ROOM).media.video)
        await conductor.end(LESSON, "teacher", EndReason.TAP)
        await house.until_bridges(set())
        light = house.stage.device(LOI_ROOM, "light").id
        await until(house.stage.hub, lambda: house.stage.hub.reported(light)[LEVEL].value == 100)
        once = [("teacher", "lesson.end"), ("teacher", "lesson.resume")]
        assert await house.audited() == [("teacher", "lesson.start"), *once, *once, ("teacher", "lesson.end")]


async def test_lesson_is_not_resumed_after_its_time(house: House) -> None:
    planned = await house.plan()
    async with house.conducted() as (conductor, views):
        await conductor.start(LESSON, "teacher")
        with pytest.raises(InvalidState):
            await conductor.resume((await house.plan(XUAN_OTHER, id="later")).id, "teacher")
        await conductor.end(LESSON, "teacher", EndReason.TAP)
        house.clock.move(planned.end + GRACE - house.clock())
        assert (await views.lessons.get(LESSON)).resumable_until is None
        with pytest.raises(InvalidState, match="too long ago"):
            await conductor.resume(LESSON, "teacher")
        assert await house.state() is LessonState.ENDED


async def test_what_a_room_keeps_to_itself_is_the_policy_of_its_bridge(house: House) -> None:
    await house.plan()
    async with asyncio.timeout(60), house.conducted() as (conductor, views):
        there = await house.pair(views, LOI_ROOM, "there")
        here = await house.pair(views, XUAN_ROOM, "here")
        await conductor.start(LESSON, "teacher")
        await house.until(house.held)
        given, own = await call(views, there), await call(views, here)
        assert (given.may_leave, own.may_leave) == (True, False)
        async with (
            publish(house.media(given.whip.url), given.whip.token, [Picture(90), Tone()]),
            play(house.media(own.whep.url), own.whep.token) as playing,
        ):
            [picture] = playing.of_kind("video")
            await picture.next_frame()
            await house.store.lessons.set_sending(LESSON, LOI_ROOM.id, muted=True, camera_off=True)
            await conductor.look(LESSON)

            def dark() -> bool:
                received = bridge_slots(house.nodes.state(LESSON)).get((XUAN_ROOM.id, "here"))
                return received is not None and received.slots["0"] is None

            await house.until(dark)
            quiet = await call(views, there)
            assert (quiet.muted, quiet.camera_off) == (True, True)
            assert [(each.muted, each.camera_off) for each in (await call(views, here)).rooms] == [(True, True)]
            frames = picture.frames
            house.kill_node()  # another node is told the same from its first packet on
            epoch = given.epoch
            await house.until(lambda: house.nodes.epoch(LESSON) not in (None, epoch))
            assert picture.frames == frames


async def test_guest_that_has_left_does_not_come_back_with_its_token(house: House) -> None:
    await house.plan()
    async with asyncio.timeout(60), house.conducted() as (conductor, views):
        display = await house.pair(views, LOI_ROOM, "display")
        await conductor.start(LESSON, "teacher")
        await house.until(house.held)
        given = await call(views, display)
        await house.store.lessons.set_invitation(LESSON, LOI_ROOM.id, InvitationState.DECLINED)
        await conductor.look(LESSON)
        while not await refused(house, given.whip):
            pass
        await house.store.lessons.set_invitation(LESSON, LOI_ROOM.id, InvitationState.ACCEPTED)
        await conductor.look(LESSON)
        again = await call(views, display)
        assert [await refused(house, each) for each in (given.whip, given.whep, again.whip)] == [True, True, False]


async def refused(house: House, grant: MediaGrant) -> bool:
    """Whether the token lets nobody in any more; a good one is told that this is no offer."""
    headers = {"Authorization": f"Bearer {grant.token}", "Content-Type": "application/sdp"}
    async with house.http.post(house.media(grant.url), data="no offer", headers=headers) as answer:
        return answer.status == 401


async def test_lesson_is_held_while_a_room_comes_or_leaves(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[bool] = []
    await house.plan()
    async with asyncio.timeout(60), house.conducted() as (conductor, _):
        await conductor.start(LESSON, "teacher")

        async def slow(store: Store, lesson: Lesson) -> Plan:
            held.append(conductor.in_lesson(XUAN_ROOM.id))
            if len(held) == 1:
                raise StoreUnavailable("the database is being started again")
            return await read_plan(store, lesson)

        monkeypatch.setattr("controller.lessons.conductor.read_plan", slow)
        await house.store.lessons.set_invitation(LESSON, LOI_ROOM.id, InvitationState.DECLINED)
        with pytest.raises(StoreUnavailable):
            await conductor.look(LESSON)
        assert conductor.in_lesson(LOI_ROOM.id)
        await conductor.look(LESSON)
        assert held == [True] * 3
        assert conductor.in_lesson(XUAN_ROOM.id)
        assert not conductor.in_lesson(LOI_ROOM.id)


async def test_node_that_comes_while_a_stray_bridge_is_closed_ends_nothing(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = BridgeConfig(nodes=(), registration=Secret(SECRET))
    async with (
        asyncio.timeout(60),
        node_session(config) as http,
        own_time() as counted,
        node_process() as remote,
    ):
        nodes = Nodes(config, data_dir=tmp_path, http=http, own_time=counted)
        house, closed = House(stage, nodes, http), Node.close

        async def close(node: Node, bridge: str) -> None:
            nodes.fleet.register(Registration(name="later", url="http://127.0.0.1:1"), SECRET)
            await closed(node, bridge)

        monkeypatch.setattr(Node, "close", close)
        async with running(nodes.run()):
            await asyncio.sleep(0)  # it begins
            nodes.fleet.register(Registration(name="north", url=remote.node.url), SECRET)
            await house.until_nodes(lambda: nodes.connected)
            await house.plan()  # not live: a bridge of it is a stray
            async with house.conducted() as (conductor, _):
                await remote.node.open_bridge(LESSON)
                await house.until_nodes(lambda: "later" in nodes.fleet.nodes and not nodes.held())
                await conductor.start(LESSON, "teacher")
                await house.until_nodes(lambda: LESSON in nodes.held())
