"""A department is set up, people are let in and put out again: real pages and API, a real database."""

from pathlib import Path

from playwright.async_api import Browser, Page

from controller.operator import setup_link
from testing.browser import page_of
from tests.controller.web.house import House, open_house

BUILT = Path(__file__).parents[2] / "controller" / "web" / "dist"
OWN, NEXT = "quả táo màu xanh lá", "quả chuối màu vàng"


async def set_up(page: Page, house: House) -> None:
    """A department, by the link that the server printed."""
    secret = await house.people.links.setup_secret()
    assert secret is not None
    await page.goto(setup_link.link(house.url, secret))
    await page.get_by_test_id("setup-display-name").fill("Anh Sở")
    await page.get_by_test_id("setup-name").fill("so")
    for each in ("setup-password", "setup-password-again"):
        await page.get_by_test_id(each).fill(OWN)
    await page.get_by_test_id("kind-department").check()
    await page.get_by_test_id("setup-organisation-name").fill("Sở GD&ĐT Nghệ An")
    await page.get_by_test_id("setup-submit").click()
    await page.get_by_test_id("who").wait_for()


async def add_schools(page: Page, *names: str) -> None:
    await page.get_by_test_id("nav-organisations").click()
    for name in names:
        await page.get_by_test_id("add-organisation").click()
        await page.get_by_test_id("organisation-name").fill(name)
        await page.get_by_test_id("organisation-submit").click()
        await page.get_by_role("heading", name=name).wait_for()


async def add_person(page: Page, name: str, school: str) -> str:
    """The password that was made for them."""
    await page.get_by_test_id("nav-people").click()
    await page.get_by_test_id("add-person").click()
    await page.get_by_test_id("person-display-name").fill("Cô Lan")
    await page.get_by_test_id("person-name").fill(name)
    assert await page.get_by_test_id("person-organisation").input_value() == ""  # several: none is chosen for them
    assert await page.get_by_test_id("person-submit").is_disabled()
    await page.get_by_test_id("person-organisation").select_option(label="Sở GD&ĐT Nghệ An")
    assert "2" in await page.get_by_test_id("person-reach").inner_text()
    await page.get_by_test_id("person-organisation").select_option(label=school)
    await page.get_by_test_id("person-submit").click()
    password = await page.get_by_test_id("added-password").inner_text()
    await page.get_by_test_id("added-done").click()
    return password


async def log_in(page: Page, house: House, name: str, password: str) -> None:
    await page.goto(f"{house.url}/login")
    await page.get_by_test_id("login-name").fill(name)
    await page.get_by_test_id("login-password").fill(password)
    await page.get_by_test_id("login-submit").click()


async def choose_password(page: Page, password: str) -> None:
    for each in ("own-password", "own-again"):
        await page.get_by_test_id(each).fill(password)
    await page.get_by_test_id("own-submit").click()


async def test_department_lets_people_in_and_puts_them_out(tmp_path: Path, browser: Browser) -> None:
    (tmp_path / "dist").symlink_to(BUILT)
    async with open_house(tmp_path, empty=True) as house, page_of(browser) as page, page_of(browser) as theirs:
        await set_up(page, house)
        await add_schools(page, "Trường Tiểu học Lê Lợi", "Trường Tiểu học Kim Đồng")
        await page.get_by_test_id("rename-kim-dong").click()
        await page.get_by_test_id("rename-name").fill("Trường Kim Đồng")
        await page.get_by_test_id("rename-submit").click()
        await page.get_by_role("heading", name="Trường Kim Đồng").wait_for()

        password = await add_person(page, "lan", "Trường Tiểu học Lê Lợi")
        await log_in(theirs, house, "lan", password)
        await theirs.get_by_test_id("first-password").wait_for()
        assert await theirs.get_by_test_id("nav-today").count() == 0
        await choose_password(theirs, OWN)
        await theirs.get_by_test_id("nav-today").wait_for()

        await page.get_by_test_id("open-lan").click()
        await page.get_by_test_id("person-role").select_option("technician")
        await page.get_by_test_id("person-organisation").select_option(label="Trường Kim Đồng")
        await page.get_by_test_id("grant").click()
        await page.get_by_test_id("take-technician").wait_for()
        await theirs.get_by_test_id("nav-rooms").wait_for()  # without a reload

        await theirs.get_by_test_id("who").click()
        await theirs.get_by_test_id("own-current").fill(OWN)
        await choose_password(theirs, NEXT)
        await theirs.get_by_text("Đã đổi mật khẩu").wait_for()
        await theirs.get_by_test_id("nav-today").click()
        await theirs.get_by_test_id("today-empty").wait_for()

        await page.get_by_test_id("suspend").click()
        await page.get_by_test_id("suspend-sure").click()
        await page.get_by_test_id("person-suspended").wait_for()
        await theirs.get_by_test_id("login-name").wait_for()  # its page is closed, nobody touched it
        await log_in(theirs, house, "lan", NEXT)
        await theirs.get_by_test_id("trouble").wait_for()

        await page.get_by_test_id("resume").click()
        await page.get_by_test_id("reset-link").click()
        await page.get_by_test_id("reset-link-sure").click()
        await theirs.goto(await page.get_by_test_id("given-link").inner_text())
        await theirs.get_by_test_id("first-password").wait_for()
