"""What pages and displays are shown of conducted lessons: real database, real bridge node as child process."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from controller.changes import ChangeKind
from controller.displays.media_tokens import Grants
from controller.nodes.bridge_report import SiteMedia, present_rooms
from controller.views.readiness import SiteDevices
from controller.views.watching import WATCHING
from demo.whip_client import play, publish
from devices.changes import Change, Subscription
from rooms.errors import InvalidState
from rooms.scene import Scene
from tests.controller.conducted import LESSON, House, call, open_house, report, site
from tests.controller.stage import Stage
from tests.rooms.samples import LOI_ROOM, MINUTE, XUAN_OTHER, XUAN_ROOM
from tests.webrtc.pictures import Picture, Tone


async def test_of_two_displays_the_one_paired_last_gets_the_call(house: House) -> None:
    await house.plan()
    async with house.conducted() as (conductor, views):
        newer = await house.pair(views, XUAN_ROOM, "newer", minutes_ago=1)
        older = await house.pair(views, XUAN_ROOM, "older", minutes_ago=2)
        await conductor.start(LESSON, "teacher")
        await house.until(house.held)
        assert (await views.display_states.state(older)).call is None
        assert (await call(views, newer)).lesson == LESSON
        house.leave(newer)
        assert (await call(views, older)).lesson == LESSON


async def test_waiting_display_shows_the_next_lesson_of_its_room(house: House) -> None:
    await house.plan(XUAN_OTHER, id="elsewhere", begins=MINUTE)
    coming = await house.plan(begins=30 * MINUTE)
    async with house.conducted() as (_, views):
        display = await house.pair(views, XUAN_ROOM, "display")
        state = await views.display_states.state(display)
    assert state.next is not None
    assert (state.next.title, state.next.start, state.call) == (coming.title, coming.start, None)


async def test_teacher_watches_all_rooms_of_a_live_lesson_only(house: House) -> None:
    await house.plan()
    async with house.conducted() as (conductor, views):
        with pytest.raises(InvalidState):
            views.watching.watch(await house.store.lessons.get(LESSON), "ana", "login-1", "tab", known=house.clock())
        await conductor.start(LESSON, "teacher")
        await house.until(house.held)
        given = views.watching.watch(
            await house.store.lessons.get(LESSON), "ana", "login-1", "tab", known=house.clock()
        )
        assert (given.video, given.audio, given.epoch) == (3, 2, house.nodes.epoch(LESSON))
        other = views.watching.watch(
            await house.store.lessons.get(LESSON), "ana", "login-1", "window", known=house.clock()
        )
        told = views.watching.slots(LESSON, "ana", "login-1")
        assert [(each.view, each.epoch, each.slots) for each in told] == [
            ("tab", given.epoch, {}),
            ("window", given.epoch, {}),
        ]
        assert views.watching.slots(LESSON, "binh", "login-2") == []
        async with (
            play(house.media(given.whep.url), given.whep.token, video=2, audio=2),
            play(house.media(other.whep.url), other.whep.token, video=2, audio=2),
        ):
            await house.until(lambda: all(each.slots for each in views.watching.slots(LESSON, "ana", "login-1")))
        house.clock.move(WATCHING + MINUTE)
        views.watching.watch(await house.store.lessons.get(LESSON), "ana", "login-1", "tab", known=house.clock())
        assert [each.view for each in views.watching.slots(LESSON, "ana", "login-1")] == ["tab"]


async def test_room_is_shown_where_it_still_is_while_its_lesson_leaves_a_node(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("controller.nodes.bridges.GO_OVER_S", 2.0)
    async with open_house(stage, nodes=2) as house, house.conducted() as (conductor, views):
        nodes = house.nodes.fleet.nodes
        await house.until_nodes(lambda: all(node.connected for node in nodes.values()))
        await house.plan()
        display, other = await house.pair(views, XUAN_ROOM, "display"), await house.pair(views, LOI_ROOM, "other")
        await conductor.start(LESSON, "teacher")
        await house.until(house.held)
        views.displays.report(display, report())
        before = await call(views, display)
        async with publish(house.media(before.whip.url), before.whip.token, [Picture(90), Tone()]):
            await house.until_view(views, lambda view: site(view, XUAN_ROOM).ready)
            [holder] = [node.name for node in nodes.values() if LESSON in node.bridges]
            await house.nodes.fleet.drain(holder, True)
            await house.until(lambda: house.nodes.epoch(LESSON) != before.epoch)
            shown = site(await views.lessons.get(LESSON), XUAN_ROOM)
            assert (shown.ready, shown.problems) == (True, ())
            assert [each.here for each in (await call(views, other)).rooms] == [True]
            await house.until_view(views, lambda view: site(view, XUAN_ROOM).media == SiteMedia())
            assert [each.here for each in (await call(views, other)).rooms] == [False]


async def test_change_of_the_bridge_is_a_change_of_the_call_only(house: House) -> None:
    await house.plan()
    async with house.conducted() as (conductor, views):
        display = await house.pair(views, XUAN_ROOM, "display")
        await conductor.start(LESSON, "teacher")
        await house.until(house.held)
        state = await views.display_states.state(display)
        assert state.call is not None
        with house.changes.subscribe() as changes:
            async with play(house.media(state.call.whep.url), state.call.whep.token, video=2, audio=2):
                async with asyncio.timeout(20):
                    async for change in changes:
                        assert change != Change(ChangeKind.DISPLAY, display)
                        if change == Change(ChangeKind.CALL, display):
                            break
                now = views.display_states.with_call(state).call
                assert now is not None
                assert now.slots != state.call.slots


async def test_display_hears_of_its_own_slots_only(house: House) -> None:
    await house.plan()
    async with house.conducted() as (conductor, views):
        here = await house.pair(views, XUAN_ROOM, "here")
        there = await house.pair(views, LOI_ROOM, "there")
        await conductor.start(LESSON, "teacher")
        await house.until(house.held)
        own = await call(views, here)
        stays = Grants(house.nodes).play(LESSON, XUAN_ROOM.id, "stays", house.clock())
        async with play(house.media(stays.url), stays.token, video=1, audio=1):
            await house.until(lambda: present_rooms(house.nodes.state(LESSON)) == {XUAN_ROOM.id})
            with house.changes.subscribe() as changes:
                async with play(house.media(own.whep.url), own.whep.token, video=2, audio=2), asyncio.timeout(20):
                    told = [change async for change in until(changes, Change(ChangeKind.CALL, here))]
                    house.changes.publish(ChangeKind.ROOM, "last")
                    told += [change async for change in until(changes, Change(ChangeKind.ROOM, "last"))]
        assert Change(ChangeKind.CALL, there) not in told


async def until(changes: Subscription, last: Change) -> AsyncIterator[Change]:
    async for change in changes:
        yield change
        if change == last:
            return


async def test_past_lesson_is_shown_with_a_room_that_is_gone(house: House) -> None:
    await house.plan()
    await house.store.lessons.cancel(LESSON, house.clock())
    await house.store.rooms.delete(LOI_ROOM.id, house.clock())
    async with house.conducted() as (_, views):
        view = await views.lessons.get(LESSON)
    assert [each.room.id for each in view.sites] == [XUAN_ROOM.id, LOI_ROOM.id]
    assert [each.devices.state for each in view.sites] == [SiteDevices.IDLE] * 2


async def test_room_without_scenes_is_no_obstacle(house: House) -> None:
    await house.store.scenes.put(Scene(room_id=XUAN_ROOM.id, name="lesson", steps=()))
    await house.plan()
    async with house.conducted() as (conductor, views):
        await conductor.start(LESSON, "teacher")
        await house.until(house.held)
        view = await views.lessons.get(LESSON)
    assert [each.devices.state for each in view.sites] == [SiteDevices.IDLE] * 2
    assert [problem.code for problem in view.sites[0].problems] == ["display_absent"]


async def test_a_screen_is_shared_in_a_live_lesson_only_and_by_each_device_under_a_name_of_its_own(
    house: House,
) -> None:
    await house.plan()
    async with house.conducted() as (conductor, views):
        with pytest.raises(InvalidState):
            views.watching.screen(await house.store.lessons.get(LESSON), XUAN_ROOM.id, "laptop", known=house.clock())
        await conductor.start(LESSON, "teacher")
        await house.until(house.held)
        given = views.watching.screen(
            await house.store.lessons.get(LESSON), XUAN_ROOM.id, "laptop", known=house.clock()
        )
        own = await call(views, await house.pair(views, XUAN_ROOM, "display"))
        view = await views.lessons.get(LESSON)
    assert (given.url, given.client) == (own.screen.url, "laptop-screen")
    assert (own.screen.client, own.sharing) == ("display-screen", None)
    assert (given.epoch, own.screen.epoch, own.epoch) == (view.epoch,) * 3
