"""A lesson of two displays, one of them behind a bad link that needs no rights on the machine."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import pytest
import pytest_asyncio
from playwright.async_api import Error, Page, Route

from testing.browser import hears_and_sees, open_display, page_of
from testing.cable import Cable, cable
from testing.chromium import chromium
from testing.installation import Classroom, House
from testing.links.relay import Relay, relay
from testing.links.stats import hook

ENDPOINT = re.compile(r"/wh[ie]p/[^/]+$")


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedLesson:
    """`far`: the display behind the link: `media` carries its pictures and sound, `signalling` all else."""

    far: Page
    near: Page
    house: House
    id: str
    far_room: Classroom
    media: Relay
    signalling: Cable


async def _lead(page: Page, link: Relay) -> None:
    """Let the page's connections go over `link`: it sees no other candidate in the node's answers."""

    async def post(route: Route) -> None:
        if route.request.method != "POST":
            await route.fallback()
            return
        try:
            response = await route.fetch()
        except Error:  # the cable is pulled
            await route.abort()
            return
        await route.fulfill(response=response, body=link.lead_here(await response.text()))

    await page.route(ENDPOINT, post)


def _udp_port(house: House) -> int:
    (state,) = house.directory.glob("data/**/bridge-0.state")
    port: int = json.loads(state.read_text())["data"]["udp_port"]
    return port


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def lesson(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LinkedLesson]:
    """Live, with pictures and sound at both displays: one for all tests of a module, since a house takes a while."""
    async with AsyncExitStack() as stack:
        house = await stack.enter_async_context(House(tmp_path_factory.mktemp("house")))
        rooms = [await house.add_classroom(school, devices=False) for school in ("truong-a", "truong-b")]
        browser = await stack.enter_async_context(chromium())
        far, near = [await stack.enter_async_context(page_of(browser)) for _ in rooms]
        media = stack.enter_context(relay(_udp_port(house)))
        signalling = await stack.enter_async_context(cable(house.url))
        for page, room, url in ((far, rooms[0], signalling.url), (near, rooms[1], house.url)):
            await hook(page)
            await open_display(page, house, room, url=url)
        await _lead(far, media)
        id = await house.plan_lesson(*rooms)
        await house.start_lesson(id)
        for page in (far, near):
            await hears_and_sees(page)
        yield LinkedLesson(
            far=far, near=near, house=house, id=id, far_room=rooms[0], media=media, signalling=signalling
        )
