"""A technician finds the connections of a lesson of days ago: real pages and API over lessons in a real database."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.async_api import Browser, Page

from controller.quality.history import UNKNOWN, History
from rooms.lesson import EndReason, LessonId
from rooms.people.account import Role
from testing.browser import page_of
from tests.controller.web.house import HOST, PASSWORD, ROOMS, House, lesson_at, open_house

BUILT = Path(__file__).parents[2] / "controller" / "web" / "dist"


async def hold(house: House, days_ago: float) -> LessonId:
    """A lesson that was held then, with figures of the host's room where they are still kept."""
    start = datetime.now(UTC) - timedelta(days=days_ago)
    lesson = lesson_at(LessonId(f"held-{days_ago:g}"), start)
    await house.store.lessons.add(lesson)
    await house.store.lessons.start(lesson.id, start)
    await house.store.lessons.end(lesson.id, lesson.end, EndReason.TAP)
    history = History(start)
    for step in range(200):
        history.add(start + timedelta(seconds=2 * step), [step // 150, 1500, 900, UNKNOWN, 21, 0, 62, 9, 0])
    await house.store.quality.put(lesson.id, {ROOMS[HOST].id: history.stored()}, lesson.end)
    return lesson.id


async def log_in(page: Page, house: House) -> None:
    await page.goto(f"{house.url}/login")
    await page.get_by_test_id("login-name").fill(house.accounts[HOST, Role.TECHNICIAN].name)
    await page.get_by_test_id("login-password").fill(PASSWORD)
    await page.get_by_test_id("login-submit").click()
    await page.get_by_test_id("who").wait_for()


async def test_lessons_of_14_days_are_listed_and_lead_to_their_plots(tmp_path: Path, browser: Browser) -> None:
    (tmp_path / "dist").symlink_to(BUILT)
    async with open_house(tmp_path) as house, page_of(browser) as page:
        for days_ago in (20, 13.5, 3, 2, 1):
            await hold(house, days_ago)
        await log_in(page, house)
        await page.get_by_test_id("nav-lessons").click()
        await page.get_by_test_id("past-end").wait_for()
        links = page.locator("a[href^='/lessons/held-']")
        found = [await each.get_attribute("href") for each in await links.all()]
        assert found == [f"/lessons/held-{days_ago}" for days_ago in ("1", "2", "3", "13.5")]
        assert await page.get_by_role("heading", level=2).count() == 4
        await page.get_by_test_id("quality-held-3").click()
        await page.get_by_test_id("plot-rate").wait_for()
        assert page.url == f"{house.url}/lessons/held-3"


async def test_failure_is_said_and_the_list_goes_on(tmp_path: Path, browser: Browser) -> None:
    (tmp_path / "dist").symlink_to(BUILT)
    async with open_house(tmp_path) as house, page_of(browser) as page:
        await hold(house, 2)
        await log_in(page, house)
        of_days = re.compile(r"/api/v1/lessons\?from=")
        await page.route(of_days, lambda route: route.abort())
        await page.get_by_test_id("nav-lessons").click()
        await page.get_by_test_id("past-error").wait_for()
        await page.unroute(of_days)
        await page.get_by_test_id("past-error").get_by_role("button").click()
        await page.get_by_test_id("quality-held-2").wait_for()
