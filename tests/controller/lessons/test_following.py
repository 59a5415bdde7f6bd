"""What runs here agrees with the youngest of what was written, in whichever order its writers come to say so."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from rooms.invitation import InvitationState
from rooms.lesson import EndReason, LessonState
from rooms.lesson_changes import answered
from rooms.scene import StepId
from tests.controller.web.house import GUEST, HOST, LESSON, ROOMS, House, open_house

ON = StepId("on")


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path) as opened:
        yield opened


async def test_start_that_is_followed_after_the_end_begins_nothing(house: House) -> None:
    conductor = house.services.conductor
    live = await conductor.start(LESSON, "teacher")
    ended = await conductor.end(LESSON, "teacher", EndReason.TAP)
    assert await conductor.follow(live) == ended
    assert conductor.live() == ()
    view = await house.services.views.lessons.get(LESSON)
    assert (view.lesson, view.lesson.state) == (ended, LessonState.ENDED)


async def test_end_that_is_followed_after_the_lesson_was_resumed_ends_nothing(house: House) -> None:
    conductor = house.services.conductor
    await conductor.start(LESSON, "teacher")
    ended = await conductor.end(LESSON, "teacher", EndReason.TAP)
    resumed = await conductor.resume(LESSON, "teacher")
    assert await conductor.follow(ended) == resumed
    assert conductor.live() == (resumed,)


async def test_room_that_comes_leaves_what_the_others_have_decided_by_hand_alone(house: House) -> None:
    conductor, here = house.services.conductor, ROOMS[HOST].id
    await house.store.lessons.set_overridden(LESSON, here, frozenset({ON}))
    live = await conductor.start(LESSON, "teacher")
    assert conductor.scene_in(LESSON, here).overridden == {ON}
    unaware = replace(live, sites=tuple(replace(site, overridden=frozenset()) for site in live.sites))
    await conductor.follow(answered(unaware, ROOMS[GUEST].id, InvitationState.ACCEPTED))
    assert conductor.scene_in(LESSON, ROOMS[GUEST].id).overridden == frozenset()
    assert conductor.scene_in(LESSON, here).overridden == {ON}
