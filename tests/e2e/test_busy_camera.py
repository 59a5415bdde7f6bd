"""A camera that another program holds when the lesson begins: the room is heard, and seen once the camera is let go."""

from contextlib import AsyncExitStack

from playwright.async_api import Browser, expect

from testing.browser import hears_and_sees, open_display, page_of
from testing.installation import House

BUSY_CAMERA = """
const devices = navigator.mediaDevices;
const open = devices.getUserMedia.bind(devices);
window.busy = true;
window.sounds = [];
devices.getUserMedia = async (wanted) => {
    if (wanted.video && window.busy) throw new DOMException("", "NotReadableError");
    const stream = await open(wanted);
    window.sounds.push(...stream.getAudioTracks());
    return stream;
};
"""


async def test_room_is_seen_once_its_camera_is_let_go_and_its_sound_goes_on(shared: House, browser: Browser) -> None:
    async with AsyncExitStack() as stack:
        sending, seeing = [await stack.enter_async_context(page_of(browser)) for _ in range(2)]
        await sending.add_init_script(BUSY_CAMERA)
        for page, school in ((sending, "truong-a"), (seeing, "truong-b")):
            await open_display(page, shared, await shared.add_classroom(school, devices=False))
        await shared.start_lesson(await shared.plan_lesson(*shared.classrooms))
        sign = sending.get_by_test_id("sending-sign")
        await expect(sign).to_have_text("Đang phát tiếng của phòng này", timeout=60_000)
        await expect(sending.get_by_test_id("camera-note")).to_be_visible()
        await sending.evaluate("busy = false")
        await expect(sign).to_have_text("Đang phát hình và tiếng của phòng này", timeout=20_000)
        await expect(sending.get_by_test_id("camera-note")).to_have_count(0)
        await hears_and_sees(seeing, within_s=60)
        assert await sending.evaluate("sounds.map((track) => track.readyState)") == ["live"]
