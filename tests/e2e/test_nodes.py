"""A live lesson leaves its bridge node: the node is killed, drained, stopped; Chromium as the rooms' displays."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest_asyncio
from playwright.async_api import Browser, expect

from controller.nodes.bridges import GO_OVER_S
from testing.browser import hears_and_sees, log_in, page_of
from testing.installation import House, eventually
from tests.e2e.test_faults import live_displays
from tests.e2e.test_teacher_screen import SHARED, UP_MS


@pytest_asyncio.fixture(loop_scope="session")
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """Two rooms without devices, and two bridge nodes."""
    async with House(tmp_path / "house", nodes=2) as house:
        await house.add_classroom("truong-a", devices=False)
        await house.add_classroom("truong-b", devices=False)
        yield house


def child(node: str) -> str:
    """The name of a local node's process."""
    return node.replace("local", "bridge")


async def moved(house: House, before: str) -> None:
    """Return once the lesson is on another node, and on that alone."""

    async def elsewhere() -> bool:
        return await house.holder() not in ("", before)

    await eventually(elsewhere, within_s=60)


async def test_lesson_goes_on_at_another_node_when_its_own_is_killed(house: House, browser: Browser) -> None:
    async with AsyncExitStack() as stack:
        _, pages = await live_displays(house, browser, stack)
        holder = await house.holder()
        house.kill_child(child(holder))
        await moved(house, holder)
        for page in pages:
            await hears_and_sees(page, within_s=60)
        assert await house.holder() != holder


async def test_lesson_leaves_a_drained_node_and_new_ones_avoid_it(house: House, browser: Browser) -> None:
    async with AsyncExitStack() as stack:
        _, pages = await live_displays(house, browser, stack)
        holder = await house.holder()
        drained = await house.start(
            "drain", "-m", "controller", "drain", holder, "--wait", "--config", house.config_file
        )
        await moved(house, holder)
        async with asyncio.timeout(60):
            assert (await drained.child.wait(), drained.text()) == (0, f"{holder}: lessons left: 1\n")
        for page in pages:
            await hears_and_sees(page, within_s=60)
        nodes = {node["name"]: node["state"] for node in (await house.call("GET", "/nodes"))["nodes"]}
        assert nodes.pop(holder) == "draining"
        assert list(nodes.values()) == ["ready"]


async def test_teachers_screen_goes_over_before_the_bridge_on_a_drained_node_is_closed(
    house: House, browser: Browser
) -> None:
    async with AsyncExitStack() as stack:
        lesson, [_, other] = await live_displays(house, browser, stack)
        teacher = await stack.enter_async_context(page_of(browser))
        await log_in(teacher, house, "teacher-truong-a")
        await teacher.goto(f"{house.url}/today")
        await teacher.get_by_test_id("share-screen").click()
        screen = other.get_by_test_id(f"site-{house.classrooms[0].room_id}").filter(has_text=SHARED)
        await expect(screen).to_have_attribute("data-moving", "true", timeout=UP_MS)
        published = f"{house.url}/whip/{lesson}"
        async with teacher.expect_request(published, timeout=GO_OVER_S * 1000):
            await house.call("PUT", f"/nodes/{await house.holder()}", {"draining": True})
        await expect(screen).to_have_attribute("data-moving", "true", timeout=UP_MS)


async def test_node_that_is_asked_to_end_gives_its_lesson_away_first(house: House, browser: Browser) -> None:
    async with AsyncExitStack() as stack:
        _, pages = await live_displays(house, browser, stack)
        holder = await house.holder()
        os.kill(house.child_pid(child(holder)), signal.SIGTERM)
        await moved(house, holder)
        for page in pages:
            await hears_and_sees(page, within_s=60)
