"""What the work pages do with addresses, wrong input and a first broker password: the built app over a real API."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Browser, Page, Route, expect

from controller.broker.access import verify_password
from rooms.people.account import Role
from rooms.room import RoomId
from testing.browser import page_of
from tests.controller.web.house import GUEST, HOST, PASSWORD, ROOMS, House, claimed, open_house

BUILT = Path(__file__).parents[2] / "controller" / "web" / "dist"
PHONE = {"width": 390, "height": 844}


@asynccontextmanager
async def built(directory: Path) -> AsyncIterator[House]:
    (directory / "dist").symlink_to(BUILT)
    async with open_house(directory) as house:
        yield house


async def log_in(page: Page, house: House) -> None:
    await page.get_by_test_id("login-name").fill(house.accounts[HOST, Role.TECHNICIAN].name)
    await page.get_by_test_id("login-password").fill(PASSWORD)
    await page.get_by_test_id("login-submit").click()


async def new_room(house: House, name: str) -> RoomId:
    program = await house.program(HOST, Role.TECHNICIAN)
    _, room = await program.ask("POST", "/rooms", {"school": HOST, "name": name})
    return RoomId(str(room["id"]))


async def test_what_is_chosen_is_in_the_address(tmp_path: Path, browser: Browser) -> None:
    async with built(tmp_path) as house, page_of(browser) as page:
        first, second = ROOMS[HOST].id, await new_room(house, "Phòng hai")
        shown = page.get_by_test_id("room-page")

        await page.goto(f"{house.url}/rooms/{second}")  # a link in a message: what it leads to is there after the login
        await log_in(page, house)
        await expect(shown).to_have_attribute("data-room", second)
        await page.get_by_test_id(f"room-{first}").click()
        await expect(shown).to_have_attribute("data-room", first)
        device = page.get_by_test_id(f"device-{claimed(HOST)}")
        await device.locator("h4 a").click()
        await expect(device).to_have_attribute("aria-current", "true")
        assert page.url == f"{house.url}/rooms/{first}/{claimed(HOST)}"
        await page.reload()
        await expect(device).to_have_attribute("aria-current", "true")
        await page.go_back()
        await page.go_back()
        await expect(shown).to_have_attribute("data-room", second)
        await page.go_forward()
        await expect(shown).to_have_attribute("data-room", first)

        await page.set_viewport_size(PHONE)  # type: ignore[arg-type]
        await page.goto(f"{house.url}/rooms")
        await page.get_by_test_id(f"room-{second}").click()
        await expect(shown).to_have_attribute("data-room", second)
        await page.go_back()  # to the list, not out of the rooms
        await expect(page.get_by_test_id(f"room-{second}")).to_be_visible()
        assert page.url == f"{house.url}/rooms"

        answer = await page.goto(f"{house.url}/romos")
        assert answer is not None
        assert answer.status == 404
        await page.get_by_test_id("page-missing").wait_for()
        assert await page.title() == "Không có trang này · Nhịp Cầu"


async def test_wrong_input_is_told_at_the_field_in_the_language_of_the_app(tmp_path: Path, browser: Browser) -> None:
    async with built(tmp_path) as house, page_of(browser) as page:
        await page.goto(f"{house.url}/login")
        await page.get_by_test_id("login-submit").click()
        await expect(page.get_by_test_id("login-name-fault")).to_have_text("Xin điền ô này.")
        await expect(page.get_by_test_id("login-name")).to_be_focused()
        await log_in(page, house)
        await page.get_by_test_id("create-room").click()
        name, fault = page.get_by_test_id("create-room-name"), page.get_by_test_id("create-room-name-fault")
        await name.fill(ROOMS[HOST].name)
        await page.get_by_test_id("create-room-submit").click()
        await expect(fault).to_have_text("Đã có rồi. Xin chọn tên khác.")
        await name.fill("x" * 101)
        await expect(fault).to_have_count(0)
        await page.get_by_test_id("create-room-submit").click()
        await expect(fault).to_have_text("Dài quá, nhiều nhất 100 ký tự.")
        await page.keyboard.press("Escape")
        await page.get_by_test_id("language-en").click()
        await page.get_by_test_id("pair-display").click()
        await page.get_by_test_id("pair-code").fill("ABC234")
        await page.get_by_test_id("pair-submit").click()
        await expect(page.get_by_test_id("pair-code-fault")).to_contain_text("No display waits with this code")


async def test_first_broker_password_ends_none(tmp_path: Path, browser: Browser) -> None:
    async with built(tmp_path) as house, page_of(browser) as page:
        await page.goto(f"{house.url}/rooms")
        await log_in(page, house)
        await page.get_by_test_id("mqtt-password").click()
        dialog = page.get_by_test_id("mqtt-dialog")
        await expect(page.get_by_test_id("mqtt-port")).to_have_text("1883")
        await expect(page.get_by_test_id("mqtt-username")).to_have_text(f"school-{HOST}")
        await expect(dialog).not_to_contain_text("Mật khẩu cũ")
        await page.get_by_test_id("mqtt-issue").click()
        secret = await page.get_by_test_id("mqtt-secret").inner_text()
        assert verify_password(secret, (await house.store.mqtt_passwords.all())[HOST])
        await page.set_viewport_size(PHONE)  # type: ignore[arg-type]
        await expect(page.get_by_test_id("mqtt-secret")).to_be_visible()


async def test_command_under_way_says_for_how_long(tmp_path: Path, browser: Browser) -> None:
    held: list[Route] = []
    async with built(tmp_path) as house, page_of(browser) as page:
        await page.route("**/commands", lambda route: held.append(route))  # a device that hangs: nothing is answered
        await page.goto(f"{house.url}/rooms/{ROOMS[HOST].id}")
        await log_in(page, house)
        device = page.get_by_test_id(f"device-{claimed(HOST)}")
        await device.get_by_test_id("set-on").click()
        outcome = device.get_by_test_id("outcome")
        clock = re.compile(r"\((\d+) giây, chờ tối đa 60 giây\)")
        await expect(outcome).to_have_text(clock)
        first = await outcome.inner_text()
        await expect(outcome).not_to_have_text(first)
        later = await outcome.inner_text()
        assert int(clock.findall(first)[0]) < int(clock.findall(later)[0])
        await held[0].abort()
        await expect(outcome).to_have_text("Không kết nối được với máy chủ. Xin kiểm tra mạng rồi thử lại.")


async def test_page_of_another_school_is_no_page_here(tmp_path: Path, browser: Browser) -> None:
    async with built(tmp_path) as house, page_of(browser) as page:
        await page.goto(f"{house.url}/rooms/{ROOMS[GUEST].id}")
        await log_in(page, house)
        await page.get_by_test_id("room-missing").wait_for()


async def test_part_of_the_app_that_cannot_be_had_is_asked_for_again(tmp_path: Path, browser: Browser) -> None:
    async with built(tmp_path) as house, page_of(browser) as page:
        parts = re.compile(r"/assets/(Display|Rooms)-[^/]*\.js")
        await page.route(parts, lambda route: route.abort())
        async with page.expect_request(parts):
            await page.goto(f"{house.url}/display")
        await page.unroute(parts)
        await page.get_by_test_id("pairing-code").wait_for()  # it has nobody who would load it anew

        await page.route(parts, lambda route: route.abort())
        await page.goto(f"{house.url}/rooms")
        await log_in(page, house)
        again = page.get_by_test_id("page-outdated").get_by_role("button")
        await again.wait_for()
        await page.unroute(parts)
        await again.click()
        await page.get_by_test_id("room-page").wait_for()
