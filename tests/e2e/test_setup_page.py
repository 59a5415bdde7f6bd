"""The first administrator comes by the one-time link: real page and API over an empty database."""

from pathlib import Path

from playwright.async_api import Browser, Request

from controller.operator import setup_link
from rooms.people.account import Role
from testing.browser import page_of
from tests.controller.web.house import PASSWORD, open_house

BUILT = Path(__file__).parents[2] / "controller" / "web" / "dist"


async def test_first_administrator_sets_up_and_the_link_is_in_no_address(tmp_path: Path, browser: Browser) -> None:
    (tmp_path / "dist").symlink_to(BUILT)
    asked: list[str] = []

    def note(request: Request) -> None:
        asked.append(request.url)

    async with open_house(tmp_path, empty=True) as house, page_of(browser) as page:
        page.on("request", note)
        secret = await house.people.links.setup_secret()
        assert secret is not None
        await page.goto(setup_link.link(house.url, secret))
        for field, text in {
            "display-name": "Hiệu trưởng",
            "name": "hieu.truong",
            "password": "matkhau12345",
            "password-again": "matkhau12345",
            "organisation-name": "Trường Tiểu học Lê Lợi",
        }.items():
            await page.get_by_test_id(f"setup-{field}").fill(text)
        await page.get_by_test_id("setup-submit").click()
        await page.get_by_text("Mật khẩu này dễ đoán").wait_for()
        for field in ("password", "password-again"):
            await page.get_by_test_id(f"setup-{field}").fill(PASSWORD)
        await page.get_by_test_id("setup-submit").click()
        await page.get_by_test_id("who").wait_for()
        account = await house.people.accounts.named("hieu.truong")
        assert [each.role for each in account.roles] == [Role.ADMINISTRATOR]
    assert any(url.endswith("/api/v1/setup/check") for url in asked)
    assert [url for url in asked if secret in url.partition("#")[0]] == []
