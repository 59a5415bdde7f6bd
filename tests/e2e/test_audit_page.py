"""An administrator reads what was done and what was refused: real pages and API over a real database."""

from pathlib import Path

from playwright.async_api import Browser, Page, expect

from rooms.people.account import Role
from testing.browser import page_of
from tests.controller.web.house import HOST, PASSWORD, ROOMS, House, open_house

BUILT = Path(__file__).parents[2] / "controller" / "web" / "dist"
TEACHER = f"teacher.{HOST}"


async def log_in(page: Page, house: House) -> None:
    await page.goto(f"{house.url}/login")
    await page.get_by_test_id("login-name").fill(house.accounts[HOST, Role.ADMINISTRATOR].name)
    await page.get_by_test_id("login-password").fill(PASSWORD)
    await page.get_by_test_id("login-submit").click()
    await page.get_by_test_id("who").wait_for()


async def test_guesses_at_a_teachers_password_are_seen_by_the_schools_administrator(
    tmp_path: Path, browser: Browser
) -> None:
    (tmp_path / "dist").symlink_to(BUILT)
    async with open_house(tmp_path) as house, page_of(browser) as page:
        stranger, technician = await house.visitor(), await house.program(HOST, Role.TECHNICIAN)
        for _ in range(3):
            await stranger.log_in(TEACHER, "a wrong password")
        await house.services.refusals.write()
        for number in range(60):
            body, version = {"name": f"5B {number}"}, {"If-Match": f'"{number + 1}"'}
            assert (await technician.ask("PATCH", f"/rooms/{ROOMS[HOST].id}", body, headers=version))[0] == 200
        await log_in(page, house)
        await page.get_by_test_id("nav-people").click()
        await page.get_by_test_id("to-audit").click()
        entries = page.get_by_test_id("audit-entry")
        await expect(entries).to_have_count(50)
        await page.get_by_test_id("audit-older").click()
        refused = page.locator("[data-action='refused.login-failed']")
        await refused.wait_for()
        assert await page.get_by_test_id("audit-older").count() == 0
        await page.get_by_test_id("audit-kind").select_option("refused.")
        await expect(entries).to_have_count(1)
        text = await refused.inner_text()
        assert all(each in text for each in (f"teacher {HOST}", "network 127.0.0.1", "count: 3"))
        await page.get_by_test_id("audit-to").fill("2020-01-01")
        await page.get_by_test_id("audit-empty").wait_for()
