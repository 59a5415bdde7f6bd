"""The technician's choice of camera, microphone and loudspeaker at a display."""

from contextlib import AsyncExitStack

from testing.browser import open_display, page_of
from testing.chromium import chromium
from testing.installation import House

SLOW_CAMERAS = """
const devices = navigator.mediaDevices;
const open = devices.getUserMedia.bind(devices);
let asked = 0;
const opened = [];
devices.getUserMedia = async (wanted) => {
    asked += 1;
    const stream = await open(wanted);
    await new Promise((resolve) => setTimeout(resolve, 600));
    opened.push(stream);
    return stream;
};
const live = () => opened.flatMap((stream) => stream.getTracks()).filter((track) => track.readyState === "live");
window.capture = () => ({ asked, opened: opened.length, live: live().map((track) => track.kind) });
"""
"""Cameras open as slowly as real ones: `capture()` says how many were asked for, and what is on."""
SETTLED = "(asked) => capture().asked === asked && capture().opened === asked"


async def test_only_what_was_chosen_last_is_open_and_nothing_afterwards(shared: House) -> None:
    async with AsyncExitStack() as stack:
        browser = await stack.enter_async_context(chromium("--use-fake-device-for-media-stream=fps=5,device-count=2"))
        page = await stack.enter_async_context(page_of(browser))
        await page.add_init_script(SLOW_CAMERAS)
        await open_display(page, shared, await shared.add_classroom("truong-a", devices=False))
        await page.get_by_test_id("capture-choice").click()
        await page.wait_for_function(SETTLED, arg=1)
        processed = page.get_by_test_id("capture-processed")
        await processed.check()
        await processed.uncheck()  # before the camera has opened for the choice before
        await page.wait_for_function(SETTLED, arg=3)
        assert (await page.evaluate("capture().live")) == ["audio", "video"]
        await processed.check()
        await page.get_by_test_id("capture-done").click()  # while it opens
        await page.wait_for_function(SETTLED, arg=4)
        assert (await page.evaluate("capture().live")) == []
