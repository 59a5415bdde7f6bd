"""A display that nobody has touched is heard as soon as its own microphone is open: browsers then let it."""

from contextlib import AsyncExitStack

from playwright.async_api import ConsoleMessage, expect

from testing.browser import hears_and_sees, open_display, page_of
from testing.chromium import chromium
from testing.installation import House

AS_AT_SCHOOL = "--autoplay-policy=document-user-activation-required"
SLOW_CAMERA = """
const log = (what) => console.log(`sound: ${what}`);
const refused = new Promise((resolve) => {
    const play = HTMLMediaElement.prototype.play;
    HTMLMediaElement.prototype.play = function () {
        const playing = play.call(this);
        if (this.tagName === "AUDIO") {
            playing.then(() => log("heard"), (error) => {
                log(error.name);
                if (error.name === "NotAllowedError") resolve();
            });
        }
        return playing;
    };
});
const devices = navigator.mediaDevices;
const open = devices.getUserMedia.bind(devices);
devices.getUserMedia = async (wanted) => { await refused; return open(wanted); };
"""
"""Its camera opens after the browser has refused to let the others be heard; the console tells what became of that."""


async def test_others_are_heard_once_the_own_microphone_is_open(shared: House) -> None:
    async with AsyncExitStack() as stack:
        browser = await stack.enter_async_context(chromium(AS_AT_SCHOOL))
        paired, other = [await stack.enter_async_context(page_of(browser)) for _ in range(2)]
        for page, school in ((paired, "truong-a"), (other, "truong-b")):
            await open_display(page, shared, await shared.add_classroom(school, devices=False))
        await paired.close()
        await shared.start_lesson(await shared.plan_lesson(*shared.classrooms))
        # What Playwright evaluates counts as a touch: this page is only listened to until it is heard.
        untouched = await paired.context.new_page()
        await untouched.add_init_script(SLOW_CAMERA)
        told: list[str] = []
        untouched.on("console", lambda message: told.append(message.text))
        async with untouched.expect_console_message(is_heard, timeout=30_000):
            await untouched.goto(f"{shared.url}/display", wait_until="commit")
        assert "sound: NotAllowedError" in told
        await hears_and_sees(untouched, within_s=60)
        await expect(untouched.get_by_test_id("tap-for-sound")).to_have_count(0)


def is_heard(message: ConsoleMessage) -> bool:
    return message.text == "sound: heard"
