"""A weak link is named on the teacher's page, with its direction, and a technician sees it in the plot."""

import re

import pytest
from playwright.async_api import Page, expect

from testing.browser import log_in, page_of
from testing.links.conditions import GOOD, Conditions
from tests.links.conftest import LinkedLesson

pytestmark = pytest.mark.asyncio(loop_scope="module")

HEAVY = Conditions(loss=0.25)  # no load of this machine loses as much
WITHIN_MS = 60_000
A_LINE = re.compile("M.+L")


async def says(page: Page, lesson: LinkedLesson, cause: str, words: str) -> None:
    card = page.get_by_test_id(f"site-{lesson.far_room.room_id}")
    await expect(card).to_have_attribute("data-cause", cause, timeout=WITHIN_MS)
    await expect(card.get_by_test_id("site-media")).to_have_text(words)


async def test_teacher_reads_which_way_of_which_school_is_weak(lesson: LinkedLesson) -> None:
    browser = lesson.far.context.browser
    assert browser is not None
    async with page_of(browser) as page:
        await log_in(page, lesson.house, "teacher-truong-a")
        await page.goto(f"{lesson.house.url}/today")
        lesson.media.up.conditions = HEAVY
        await says(page, lesson, "uplink_loss", "Mạng yếu: đường lên của Trường A bị rớt dữ liệu")
        lesson.media.up.conditions, lesson.media.down.conditions = GOOD, HEAVY
        await says(page, lesson, "downlink_loss", "Mạng yếu: đường xuống của Trường A bị rớt dữ liệu")
        lesson.media.set(GOOD)


async def test_technician_sees_it_in_the_plot(lesson: LinkedLesson) -> None:
    browser = lesson.far.context.browser
    assert browser is not None
    async with page_of(browser) as page:
        await log_in(page, lesson.house, "technician-truong-b")  # of the other school: it takes part
        await page.goto(f"{lesson.house.url}/lessons")
        await page.get_by_test_id(f"quality-{lesson.id}").click()
        await page.get_by_test_id(f"pick-{lesson.far_room.room_id}").click()
        loss = page.get_by_test_id(f"plots-{lesson.far_room.room_id}").get_by_test_id("plot-loss")
        await expect(loss.locator("path.up")).to_have_attribute("d", A_LINE)
