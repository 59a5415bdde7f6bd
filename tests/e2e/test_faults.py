"""What people see when things break: processes are killed, a device is silent, the broker goes away."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest_asyncio
from playwright.async_api import Browser, Page

from testing.browser import hears_and_sees, open_display, page_of, picture_since, received
from testing.cable import cable
from testing.installation import House, eventually, two_classrooms

DONE = {"confirmed", "assumed"}


@pytest_asyncio.fixture(loop_scope="session")
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """An installation of the test's own: it breaks it."""
    async with two_classrooms(tmp_path / "house") as house:
        yield house


async def live_displays(house: House, browser: Browser, stack: AsyncExitStack) -> tuple[str, list[Page]]:
    """A live lesson of the house's two rooms, and their displays, in the picture."""
    pages = [await stack.enter_async_context(page_of(browser)) for _ in house.classrooms]
    for page, classroom in zip(pages, house.classrooms, strict=True):
        await open_display(page, house, classroom)
    lesson = await house.plan_lesson(*house.classrooms)
    await house.start_lesson(lesson)
    for page in pages:
        await hears_and_sees(page)
    return lesson, pages


async def test_media_go_on_while_the_controller_is_killed_and_control_is_back_soon(
    house: House, browser: Browser
) -> None:
    async with AsyncExitStack() as stack:
        lesson, pages = await live_displays(house, browser, stack)
        for classroom in house.classrooms:
            await house.steps_settled(lesson, classroom)
        node = house.child_pid("bridge-0")
        before = await received(pages[0])
        await house.kill_controller()
        for page in pages:
            await hears_and_sees(page)  # nobody controls now; pictures and sound flow all the same
        assert (await received(pages[0])).frames_decoded > before.frames_decoded, "the display joined anew"

        loop = asyncio.get_running_loop()
        started = loop.time()
        await house.start_controller()

        async def everything_is_ready() -> bool:
            return all([(await house.site(lesson, classroom))["ready"] for classroom in house.classrooms])

        await eventually(everything_is_ready)
        print(f"control back after {loop.time() - started:.2f} s")  # noqa: T201  # a figure for the closing note
        assert house.child_pid("bridge-0") == node, "the node was not adopted"
        state = await house.call("GET", f"/lessons/{lesson}")
        assert state["state"] == "live"
        for page in pages:
            await hears_and_sees(page)
        await house.end_lesson(lesson)
        for classroom in house.classrooms:
            assert set((await house.steps_settled(lesson, classroom)).values()) <= DONE


async def test_displays_are_back_in_the_picture_after_the_node_is_killed(house: House, browser: Browser) -> None:
    async with AsyncExitStack() as stack:
        _, pages = await live_displays(house, browser, stack)
        killed_ms = time.time() * 1000
        house.kill_child("bridge-0")
        back_ms = await asyncio.gather(*(picture_since(page, killed_ms) for page in pages))
        print(f"pictures back after {(max(back_ms) - killed_ms) / 1000:.2f} s")  # noqa: T201  # the aim: bench.join


async def test_a_reloaded_display_is_back_by_itself(house: House, browser: Browser) -> None:
    async with AsyncExitStack() as stack:
        _, pages = await live_displays(house, browser, stack)
        reloaded_ms = time.time() * 1000
        await pages[0].reload()
        await picture_since(pages[0], reloaded_ms)
        await asyncio.gather(*(hears_and_sees(page) for page in pages))


async def test_a_display_whose_network_was_cut_is_back_by_itself(house: House, browser: Browser) -> None:
    first, second = house.classrooms
    async with cable(house.url) as line, page_of(browser) as cut, page_of(browser) as other:
        await open_display(cut, house, first, url=line.url)
        await open_display(other, house, second)
        await house.start_lesson(await house.plan_lesson(first, second))
        await hears_and_sees(cut)
        line.pull()
        await cut.get_by_test_id("offline-banner").wait_for()
        await hears_and_sees(cut)  # media do not go through the controller
        line.plug_in()
        await cut.get_by_test_id("offline-banner").wait_for(state="detached")
        await hears_and_sees(cut)
        await hears_and_sees(other)


async def test_a_lesson_goes_on_while_the_broker_restarts(house: House) -> None:
    lesson = await house.plan_lesson(*house.classrooms)
    await house.start_lesson(lesson)
    house.kill_child("broker")
    for classroom in house.classrooms:
        states = await house.steps_settled(lesson, classroom, within_s=60)
        assert set(states.values()) <= DONE | {"timed_out", "expired"}, states

    async def all_confirmed() -> bool:
        sites = [await house.site(lesson, classroom) for classroom in house.classrooms]
        return all(step["state"] in DONE for site in sites for step in site["devices"]["steps"])

    await eventually(all_confirmed, within_s=60)  # devices that came back wrong are put right, with no tap


async def test_a_silent_device_stops_no_lesson_and_the_page_says_which(house: House) -> None:
    classroom = await house.add_classroom("truong-b", "cam", devices=False)
    await house.start_devices(classroom, "--fault", "projector=silent")
    await house.claim_all(classroom)
    await house.call("POST", f"/rooms/{classroom.room_id}/scenes/suggest")
    scene = next(
        each
        for each in (await house.call("GET", f"/rooms/{classroom.room_id}/scenes"))["scenes"]
        if each["name"] == "lesson"
    )
    for step in scene["steps"]:
        step["deadline_s"] = 2
    await house.call("PUT", f"/rooms/{classroom.room_id}/scenes/lesson", scene, if_match=scene["version"])
    lesson = await house.plan_lesson(house.classrooms[0], classroom)
    await house.start_lesson(lesson)
    states = await house.steps_settled(lesson, classroom)
    assert states["on projector"] == "timed_out"
    assert states["input projector"] == "skipped"
    site = await house.site(lesson, classroom)
    assert site["devices"]["state"] == "failed"
    silent = {(problem["code"], problem["importance"]) for problem in site["problems"]}
    assert ("device_silent", "essential") in silent
    assert (await house.call("GET", f"/lessons/{lesson}"))["state"] == "live"


async def test_a_clean_stop_leaves_no_process_behind(house: House) -> None:
    assert house.controller is not None
    pids = [house.child_pid("bridge-0"), house.child_pid("broker")]
    house.controller.child.send_signal(signal.SIGTERM)
    async with asyncio.timeout(15):
        assert await house.controller.child.wait() == 0
    for pid in pids:
        assert not _alive(pid)
    assert "Traceback" not in house.controller.text()


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
