"""A lesson over links as schools have them: it goes on, or comes back by itself. The limits' figures: `bench.links`."""

import asyncio
from collections.abc import Callable

import pytest
from playwright.async_api import Page

from testing.browser import hears_and_sees
from testing.links.conditions import GOOD, Conditions
from testing.links.stats import Snapshot, reception, snapshot
from tests.links.conftest import LinkedLesson

pytestmark = pytest.mark.asyncio(loop_scope="module")

LOSSY_FAR = Conditions(loss=0.05, delay_s=0.150)
VOICES_ONLY = Conditions(rate_bps=100_000, delay_s=0.020)
RESTS_S = 2.0  # without a packet of a picture
UNUSABLE = 0.25  # share of the sound concealed that no slow machine explains; the aim itself, 3 %, is in `bench.links`


async def until(page: Page, holds: Callable[[Snapshot], bool], *, within_s: float = 30.0) -> Snapshot:
    """The page's first snapshot for which `holds`. Raises `TimeoutError`."""
    async with asyncio.timeout(within_s):
        while not holds(seen := await snapshot(page)):
            await page.wait_for_timeout(100)
    return seen


async def test_lesson_goes_on_over_a_lossy_link_to_far_away(lesson: LinkedLesson) -> None:
    lesson.media.set(LOSSY_FAR)
    for page in (lesson.far, lesson.near):
        before = await snapshot(page)
        after = await until(page, lambda seen, before=before: seen.frames > before.frames + 60)  # type: ignore[misc]
        assert after.states.keys() == before.states.keys(), "connected anew"
        assert reception([before, after]).concealed < UNUSABLE
    assert lesson.media.up.lost > 0
    assert lesson.media.down.lost > 0


async def test_picture_is_back_after_a_link_that_took_only_the_voices(lesson: LinkedLesson) -> None:
    lesson.media.down.conditions = VOICES_ONLY
    moved_at, packets = 0.0, 0

    def rests(seen: Snapshot) -> bool:
        nonlocal moved_at, packets
        now = sum(each.packets for each in seen.video.values())
        if now != packets:
            moved_at, packets = seen.at_s, now
        return seen.at_s - moved_at > RESTS_S

    resting = await until(lesson.far, rests)
    lesson.media.set(GOOD)
    back = await until(lesson.far, lambda seen: seen.frames > resting.frames + 60)
    assert back.states.keys() <= resting.states.keys(), "connected anew"


async def test_display_is_back_by_itself_after_a_blackout(lesson: LinkedLesson) -> None:
    lesson.media.set(GOOD)
    lesson.media.cut()
    lesson.signalling.pull()
    await until(lesson.far, lambda seen: "connected" not in seen.states.values())
    lesson.media.mend()
    lesson.signalling.plug_in()
    for page in (lesson.far, lesson.near):
        await hears_and_sees(page)


async def test_call_goes_on_when_the_display_comes_from_another_address(lesson: LinkedLesson) -> None:
    lesson.media.set(GOOD)
    for page in (lesson.far, lesson.near):
        await hears_and_sees(page)
    before = await snapshot(lesson.far)
    lesson.media.move()
    for page in (lesson.far, lesson.near):
        await hears_and_sees(page)
    # One that was being replaced before may be gone by now; a new one there must not be.
    assert (await snapshot(lesson.far)).states.keys() <= before.states.keys(), "connected anew"
