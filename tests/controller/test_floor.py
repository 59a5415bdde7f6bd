"""Mode and floor of a live lesson: real database, real bridge node as child process."""

import asyncio
from contextlib import AsyncExitStack
from datetime import timedelta

from controller.lessons.conductor import Conductor
from demo.whip_client import play
from rooms.floor import Floor, Mode
from rooms.invitation import InvitationState
from rooms.room import Room
from tests.controller.conducted import LESSON, House, call
from tests.rooms.samples import LOI_ROOM, MINUTE, XUAN_OTHER, XUAN_ROOM, lesson
from webrtc.shared import policy

SOON = timedelta(seconds=0.3)


async def give(house: House, conductor: Conductor, room: Room | None, length: timedelta = MINUTE) -> None:
    floor = None if room is None else Floor(room_id=room.id, until=house.clock() + length)
    await house.store.lessons.set_floor(LESSON, floor)
    await conductor.look(LESSON)


async def until_led(house: House, mode: policy.Mode, room: Room | None) -> None:
    """Until the node says that its bridge is led like that."""

    def led() -> bool:
        state = house.nodes.state(LESSON)
        return state is not None and (state.mode, state.floor) == (mode, None if room is None else room.id)

    await house.until_nodes(led)


async def test_mode_and_floor_reach_the_node_and_the_displays(house: House) -> None:
    await house.plan()
    async with house.conducted() as (conductor, views):
        display = await house.pair(views, XUAN_ROOM, "display")
        await conductor.start(LESSON, "teacher")
        await until_led(house, policy.Mode.DISCUSSION, None)
        await house.store.lessons.set_mode(LESSON, Mode.CALLED)
        await give(house, conductor, LOI_ROOM)
        await until_led(house, policy.Mode.CALLED, LOI_ROOM)
        told = await call(views, display)
        assert (told.mode, told.floor, told.speaking) == (Mode.CALLED, LOI_ROOM.id, None)
        await give(house, conductor, None)
        await until_led(house, policy.Mode.CALLED, None)
        assert (await call(views, display)).floor is None


async def test_a_floor_is_taken_back_by_time(house: House) -> None:
    await house.plan()
    async with house.conducted() as (conductor, views):
        await conductor.start(LESSON, "teacher")
        await give(house, conductor, LOI_ROOM, SOON)
        view = await house.until_view(views, lambda view: view.lesson.floor is None)
        assert view.lesson.mode is Mode.DISCUSSION
        await until_led(house, policy.Mode.DISCUSSION, None)
    assert await house.audited() == [("teacher", "lesson.start"), ("time", "lesson.floor")]


async def test_a_floor_that_ended_while_nobody_conducted_is_taken_back(house: House) -> None:
    await house.plan()
    async with house.conducted() as (conductor, _):
        await conductor.start(LESSON, "teacher")
        await give(house, conductor, LOI_ROOM)
        await until_led(house, policy.Mode.DISCUSSION, LOI_ROOM)
    house.clock.move(2 * MINUTE)
    async with house.conducted():
        await until_led(house, policy.Mode.DISCUSSION, None)
    assert (await house.store.lessons.get(LESSON)).floor is None


async def test_a_room_that_accepts_in_mid_lesson_takes_its_place(house: House) -> None:
    planned = lesson(LESSON, XUAN_ROOM, LOI_ROOM, XUAN_OTHER, start=house.clock() - MINUTE)
    await house.store.lessons.add(planned)
    async with asyncio.timeout(60), house.conducted() as (conductor, views), AsyncExitStack() as stack:
        await conductor.start(LESSON, "teacher")
        await house.until(house.held)
        await house.store.lessons.set_invitation(LESSON, LOI_ROOM.id, InvitationState.ACCEPTED)
        await conductor.look(LESSON)
        for room in (XUAN_OTHER, LOI_ROOM, XUAN_ROOM):
            display = await house.pair(views, room, f"display-{room.id}")
            grant = (await call(views, display)).whep
            await stack.enter_async_context(play(house.media(grant.url), grant.token))

        def places() -> list[str]:
            state = house.nodes.state(LESSON)
            return [each.id for each in state.participants] if state else []

        await house.until_nodes(lambda: places() == [XUAN_ROOM.id, LOI_ROOM.id, XUAN_OTHER.id])
