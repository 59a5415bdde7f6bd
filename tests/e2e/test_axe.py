"""Every state of every page without a violation of accessibility: one installation and one browser, state after state.

A new state is a line in the part that it belongs to: bring the page there, then `await looks.at(page, "its name")`.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page

from testing.browser import log_in, open_display, page_of
from testing.installation import Classroom, House
from tests.e2e.axe import Looks

pytestmark = pytest.mark.timeout(300)


@asynccontextmanager
async def person(browser: Browser, house: House, name: str) -> AsyncIterator[Page]:
    async with page_of(browser) as page:
        await log_in(page, house, name)
        yield page


async def first_start(looks: Looks, page: Page, link: str) -> None:
    await page.goto(link)
    submit = page.get_by_test_id("setup-submit")
    await submit.wait_for()
    await looks.at(page, "set-up")
    await submit.click()
    await page.get_by_test_id("setup-name-fault").wait_for()
    await looks.at(page, "set-up, nothing filled in")
    await page.goto(link.split("#")[0] + "#token=wrong")
    await page.get_by_test_id("setup-invalid").wait_for()
    await looks.at(page, "set-up, link used")


async def entry(looks: Looks, house: House, page: Page) -> None:
    await page.goto(f"{house.url}/login")
    submit = page.get_by_test_id("login-submit")
    await submit.wait_for()
    await looks.at(page, "login")
    await submit.click()
    await page.get_by_test_id("login-name-fault").wait_for()
    await looks.at(page, "login, nothing filled in")
    await page.get_by_test_id("login-name").fill("nobody")
    await page.get_by_test_id("login-password").fill("nothing at all")
    await submit.click()
    await page.get_by_test_id("trouble").wait_for()
    await looks.at(page, "login refused")
    await page.goto(f"{house.url}/no/such/page")
    await page.get_by_test_id("page-missing").wait_for()
    await looks.at(page, "unknown address")


async def nothing_yet(looks: Looks, house: House, administrator: Page, teacher: Page) -> None:
    await teacher.get_by_test_id("today-empty").wait_for()
    await looks.at(teacher, "today, empty")
    await teacher.goto(f"{house.url}/rooms")
    await teacher.get_by_test_id("page-forbidden").wait_for()
    await looks.at(teacher, "page of others")
    for path, state in (("rooms", "rooms-empty"), ("lessons", "lessons-empty"), ("people", "people")):
        await administrator.goto(f"{house.url}/{path}")
        await administrator.get_by_test_id(state).wait_for()
        await looks.at(administrator, f"{path}, empty")


async def people(looks: Looks, house: House, administrator: Page, theirs: Page) -> None:
    await administrator.goto(f"{house.url}/people")
    await administrator.get_by_test_id("add-person").click()
    await administrator.get_by_test_id("person-organisation").select_option("truong-a")
    await administrator.get_by_test_id("person-submit").click()
    await administrator.get_by_test_id("person-name-fault").wait_for()
    await looks.at(administrator, "add a person, nothing filled in")
    await administrator.get_by_test_id("person-display-name").fill("Cô Lan")
    await administrator.get_by_test_id("person-name").fill("lan")
    await administrator.get_by_test_id("person-submit").click()
    given = await administrator.get_by_test_id("added-password").inner_text()
    await looks.at(administrator, "a person added")
    await administrator.get_by_test_id("added-done").click()
    await first_password(looks, house, theirs, given)
    await administrator.get_by_test_id("open-lan").click()
    await administrator.get_by_test_id("end-logins").wait_for()
    await looks.at(administrator, "a person")
    await administrator.get_by_test_id("reset-link").click()
    await administrator.get_by_test_id("reset-link-sure").click()
    await administrator.get_by_test_id("given-link").wait_for()
    await looks.at(administrator, "a person, link given")
    await administrator.goto(f"{house.url}/people/nobody")
    await administrator.get_by_test_id("person-gone").wait_for()
    await looks.at(administrator, "unknown person")
    await administrator.goto(f"{house.url}/audit")
    await administrator.get_by_test_id("audit-entry").first.wait_for()
    await looks.at(administrator, "audit")
    await administrator.get_by_test_id("audit-to").fill("2020-01-01")
    await administrator.get_by_test_id("audit-empty").wait_for()
    await looks.at(administrator, "audit, nothing found")


async def first_password(looks: Looks, house: House, page: Page, given: str) -> None:
    await page.goto(f"{house.url}/login")
    await page.get_by_test_id("login-name").fill("lan")
    await page.get_by_test_id("login-password").fill(given)
    await page.get_by_test_id("login-submit").click()
    await page.get_by_test_id("first-password").wait_for()
    await looks.at(page, "first own password")
    for field in ("own-password", "own-again"):
        await page.get_by_test_id(field).fill("matkhau12345")
    await page.get_by_test_id("own-submit").click()
    await page.get_by_test_id("own-password-fault").wait_for()
    await looks.at(page, "first own password, too easy")


async def organisations(looks: Looks, house: House, page: Page) -> None:
    await page.goto(f"{house.url}/account")
    await page.get_by_test_id("logins").wait_for()
    await looks.at(page, "own account")
    await page.get_by_test_id("own-submit").click()
    await page.get_by_test_id("own-current-fault").wait_for()
    await looks.at(page, "own account, nothing filled in")
    await page.get_by_test_id("nav-organisations").click()
    await page.get_by_test_id("organisations").wait_for()
    await looks.at(page, "organisations")
    await page.get_by_test_id("add-organisation").click()
    await page.get_by_test_id("organisation-submit").click()
    await page.get_by_test_id("organisation-name-fault").wait_for()
    await looks.at(page, "add an organisation, nothing filled in")
    await page.keyboard.press("Escape")
    await page.get_by_test_id("rename-truong-a").click()
    await page.get_by_test_id("rename-name").fill("")
    await page.get_by_test_id("rename-submit").click()
    await page.get_by_test_id("rename-name-fault").wait_for()
    await looks.at(page, "rename an organisation, nothing filled in")


async def rooms(looks: Looks, house: House, page: Page, classroom: Classroom) -> None:
    await page.goto(f"{house.url}/rooms")
    await page.get_by_test_id("create-room").click()
    await page.get_by_test_id("create-room-submit").click()
    await page.get_by_test_id("create-room-name-fault").wait_for()
    await looks.at(page, "add a room, nothing filled in")
    await page.keyboard.press("Escape")
    await page.get_by_test_id(f"room-{classroom.room_id}").click()
    await page.get_by_test_id("room-page").wait_for()
    await page.get_by_test_id("scene-lesson").locator("summary").click()
    await page.get_by_test_id("room-page").locator("article details summary").first.click()
    await looks.at(page, "room")
    await page.get_by_test_id("apply-scene-end").click()
    await page.get_by_test_id("scene-result").locator("li").first.wait_for()
    await looks.at(page, "room, scene tried")
    device = page.locator("[data-testid^=device-] h4 a").first
    await device.click()
    await page.wait_for_url("**/rooms/*/*")
    await looks.at(page, "one device")
    await page.get_by_test_id("pair-display").click()
    await page.get_by_test_id("pair-submit").click()
    await page.get_by_test_id("pair-code-fault").wait_for()
    await looks.at(page, "pair a display, nothing filled in")
    await page.keyboard.press("Escape")
    await page.goto(f"{house.url}/rooms/no-such-room")
    await page.get_by_test_id("room-missing").wait_for()
    await looks.at(page, "unknown room")


async def broker(looks: Looks, page: Page) -> None:
    await page.get_by_test_id("mqtt-password").click()
    await page.get_by_test_id("mqtt-next").wait_for()
    await looks.at(page, "how devices connect")
    await page.get_by_test_id("mqtt-next").click()
    await looks.at(page, "new broker password, asked")
    await page.get_by_test_id("mqtt-issue").click()
    await page.get_by_test_id("mqtt-done").wait_for()
    await looks.at(page, "new broker password, shown")


async def displays(looks: Looks, house: House, page: Page, classroom: Classroom) -> None:
    await page.goto(f"{house.url}/display")
    await page.get_by_test_id("pairing-code").wait_for()
    await looks.at(page, "display, pairing")
    await open_display(page, house, classroom)
    await looks.at(page, "display, idle")
    await page.get_by_test_id("capture-choice").click()
    await page.get_by_test_id("capture-done").wait_for()
    await looks.at(page, "display, camera and microphone")
    await page.get_by_test_id("capture-done").click()


async def lessons(
    looks: Looks, house: House, teacher: Page, technician: Page, display: Page, *rooms: Classroom
) -> None:
    lesson = await house.plan_lesson(*rooms)
    await teacher.goto(f"{house.url}/today")
    await teacher.get_by_test_id(f"lesson-{lesson}").wait_for()
    await looks.at(teacher, "today, a lesson soon")
    await house.start_lesson(lesson)
    await display.get_by_test_id("call").wait_for()
    await looks.at(display, "display, in a lesson")
    await live(looks, teacher)
    await technician.goto(f"{house.url}/lessons/{lesson}")
    await technician.get_by_test_id("plot-rate").wait_for()
    await looks.at(technician, "a lesson's plots")
    await technician.goto(f"{house.url}/lessons/{lesson}/{rooms[0].room_id}")
    await technician.get_by_test_id("plot-rate").wait_for()
    await looks.at(technician, "one room's plots")
    await technician.goto(f"{house.url}/rooms/{rooms[0].room_id}")
    await technician.get_by_test_id("room-page").wait_for()
    await looks.at(technician, "room in a lesson")
    await technician.goto(f"{house.url}/lessons")
    await technician.get_by_test_id("past-end").wait_for()
    await looks.at(technician, "lessons that are kept")
    await house.end_lesson(lesson)
    await teacher.get_by_test_id("just-ended").wait_for()
    await looks.at(teacher, "today, a lesson is over")


async def live(looks: Looks, teacher: Page) -> None:
    await teacher.get_by_test_id("ready-summary").wait_for()
    await looks.at(teacher, "today, a lesson is live")
    await teacher.get_by_test_id("mode-called").click()
    await teacher.get_by_test_id("floor-give").first.wait_for()
    await looks.at(teacher, "today, classes are called")
    await teacher.get_by_test_id("end-button").click()
    await teacher.get_by_test_id("end-stay").wait_for()
    await looks.at(teacher, "today, end or not")
    await teacher.get_by_test_id("end-stay").click()


async def test_every_page_is_accessible(tmp_path: Path, browser: Browser) -> None:
    looks = Looks()
    async with page_of(browser) as visitor:
        house = House(tmp_path / "house", before_setup=lambda link: first_start(looks, visitor, link))
        async with house:
            await entry(looks, house, visitor)
            async with (
                person(browser, house, "quan-tri") as administrator,
                person(browser, house, "teacher-truong-a") as teacher,
                page_of(browser) as display,
            ):
                await nothing_yet(looks, house, administrator, teacher)
                await people(looks, house, administrator, visitor)
                await organisations(looks, house, administrator)
                ours = await house.add_classroom("truong-a")
                theirs = await house.add_classroom("truong-b", devices=False)
                await house.start_devices(theirs)
                await rooms(looks, house, administrator, ours)
                await broker(looks, administrator)
                await displays(looks, house, display, ours)
                await lessons(looks, house, teacher, administrator, display, ours, theirs)
    assert len(looks.states) > 40
    assert looks.unseen() == []
    assert looks.found == {}, "\n".join(f"{state}: {found}" for state, found in looks.found.items())
