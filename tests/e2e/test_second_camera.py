"""A room with two cameras: one tap shows the other classes the second one, another tap the first again."""

from contextlib import AsyncExitStack

from playwright.async_api import Page, expect

from testing.browser import hears_and_sees, open_display, page_of, page_stats
from testing.chromium import chromium
from testing.installation import House, eventually

CAMERAS = "--use-fake-device-for-media-stream=fps=15,device-count=3"
"""Chromium's first fake camera has corners in shades of green, its third one in shades of yellow; what its second one
has cannot be encoded."""
YELLOW, GREEN = ("red > 100 && green > 100", "red < 60 && green > 110")
CORNER = """(video) => {
    const canvas = new OffscreenCanvas(64, 36).getContext("2d");
    canvas.drawImage(video, 0, 0, 64, 36);
    const [red, green] = canvas.getImageData(60, 3, 1, 1).data;
    return %s;
}"""


async def test_second_camera_is_seen_instead_of_the_first_and_back(shared: House) -> None:
    async with AsyncExitStack() as stack:
        browser = await stack.enter_async_context(chromium(CAMERAS))
        sending, seeing = [await stack.enter_async_context(page_of(browser)) for _ in range(2)]
        for page, school in ((sending, "truong-a"), (seeing, "truong-b")):
            await open_display(page, shared, await shared.add_classroom(school, devices=False))
        await choose_second_camera(sending)
        await shared.start_lesson(await shared.plan_lesson(*shared.classrooms))
        for page in (sending, seeing):
            await hears_and_sees(page, within_s=60)
        button = sending.get_by_test_id("second-camera")
        tile = seeing.get_by_test_id(f"site-{shared.classrooms[0].room_id}").locator("video")

        async def sees_first() -> bool:
            green: bool = await tile.evaluate(CORNER % GREEN)
            return green

        async def sees_second() -> bool:
            yellow: bool = await tile.evaluate(CORNER % YELLOW)
            return yellow

        await expect(button).to_have_text("Cho xem camera 2")
        await eventually(sees_first)
        connection = (await page_stats(sending))["times"]["joined"]
        await button.click()
        await expect(button).to_have_text("Trở lại camera 1")
        await eventually(sees_second)
        await hears_and_sees(seeing)
        await button.click()
        await expect(button).to_have_text("Cho xem camera 2")
        await eventually(sees_first)
        await hears_and_sees(seeing)
        assert (await page_stats(sending))["times"]["joined"] == connection
        # it is remembered, and the room that has one camera is not asked
        await sending.reload()
        await expect(button).to_be_visible(timeout=20_000)
        await expect(seeing.get_by_test_id("second-camera")).to_have_count(0)


async def choose_second_camera(page: Page) -> None:
    """As a technician does, who sees its picture before the lesson."""
    await page.get_by_test_id("capture-choice").click()
    choice = page.get_by_test_id("capture-second")
    await choice.select_option(label="fake_device_2")
    preview = await page.locator("dialog video").element_handle()
    await page.wait_for_function(CORNER % YELLOW, arg=preview)
    await page.get_by_test_id("capture-done").click()
