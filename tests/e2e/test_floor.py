"""A teacher calls on a class from a phone."""

import re

from playwright.async_api import Browser, ViewportSize, expect

from testing.browser import log_in, page_of
from testing.installation import Classroom, House, eventually

PHONE: ViewportSize = {"width": 390, "height": 844}
UNDER_THREE = re.compile(r"2:\d\d|3:00")
UNDER_FOUR = re.compile(r"3:\d\d|4:00")


def card(classroom: Classroom, what: str) -> str:
    return f"[data-testid=site-{classroom.room_id}] [data-testid={what}]"


async def test_a_teacher_calls_on_one_class_after_the_other(browser: Browser, shared: House) -> None:
    host = await shared.add_classroom("truong-a", devices=False)
    first = await shared.add_classroom("truong-b", devices=False)
    second = await shared.add_classroom("truong-b", devices=False)
    lesson = await shared.plan_lesson(host, first, second)
    await shared.start_lesson(lesson)
    async with page_of(browser) as page:
        await log_in(page, shared, "teacher-truong-a")
        await page.set_viewport_size(PHONE)
        await page.goto(f"{shared.url}/today")

        await expect(page.get_by_test_id("mode")).to_have_attribute("data-mode", "discussion")
        await page.get_by_test_id("mode-called").click()
        await expect(page.get_by_test_id("mode")).to_have_attribute("data-mode", "called")
        await expect(page.locator(card(host, "floor-give"))).to_have_count(0)

        await page.locator(card(first, "floor-give")).click()
        await expect(page.locator(card(first, "floor-left"))).to_have_text(UNDER_THREE)
        await page.locator(card(first, "floor-longer")).click()
        await expect(page.locator(card(first, "floor-left"))).to_have_text(UNDER_FOUR)
        await page.locator(card(second, "floor-give")).click()
        await expect(page.locator(card(second, "floor-left"))).to_be_visible()
        await expect(page.locator(card(first, "floor-give"))).to_be_visible()
        await page.locator(card(second, "floor-take")).click()
        await expect(page.locator(card(second, "floor-give"))).to_be_visible()

        # what another page of the teacher's gives, this one shows; and its end as well
        body = {"room": first.room_id, "seconds": 5}
        await shared.call("PUT", f"/lessons/{lesson}/floor", body, token=shared.teacher_token)
        await expect(page.locator(card(first, "floor-left"))).to_be_visible()
        await expect(page.locator(card(first, "floor-give"))).to_be_visible(timeout=20_000)

        async def taken_back() -> bool:
            return (await shared.call("GET", f"/lessons/{lesson}"))["floor"] is None

        await eventually(taken_back)
