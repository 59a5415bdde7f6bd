"""What is said of the sites of a live lesson and kept of them: real database, real bridge node as child process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from controller.lessons.conductor import Conductor
from controller.quality.history import Column, History
from controller.quality.verdict import Cause, Side, SiteQuality, Word
from controller.views.views import Views
from demo.whip_client import publish
from rooms.invitation import InvitationState
from rooms.lesson import EndReason
from store.quality import KEPT, QualityStore
from tests.controller.conducted import LESSON, House, call, site
from tests.controller.stage import running
from tests.rooms.samples import LOI_ROOM, XUAN_ROOM
from tests.webrtc.pictures import Picture, Tone

AWAY = SiteQuality(word=Word.LOST, cause=Cause.NOT_CONNECTED, side=Side.SITE)
NODE_AWAY = SiteQuality(word=Word.LOST, cause=Cause.NODE, side=Side.BRIDGE)


@asynccontextmanager
async def watched(house: House) -> AsyncIterator[tuple[Conductor, Views]]:
    async with house.conducted() as (conductor, views), running(views.quality.run()):
        yield conductor, views


async def test_each_site_has_a_word_from_its_first_packet_on_until_the_lesson_ends(house: House) -> None:
    await house.plan()
    async with watched(house) as (conductor, views):
        display = await house.pair(views, XUAN_ROOM, "display")
        await conductor.start(LESSON, "teacher")
        await house.until(house.held)
        whip = (await call(views, display)).whip
        async with publish(house.media(whip.url), whip.token, [Picture(200), Tone()]):
            # Which word depends on how fast this machine is; that it receives nothing is never good.
            seen = await house.until_view(views, lambda view: site(view, XUAN_ROOM).quality is not None)
            assert site(seen, XUAN_ROOM).quality != SiteQuality()
            assert site(seen, LOI_ROOM).quality is None
            figures = views.quality.seen(LESSON)[XUAN_ROOM.id]
            assert (figures.receiving, figures.sources) == (False, frozenset())
        await house.until_view(views, lambda view: site(view, XUAN_ROOM).quality == AWAY)
        assert set(await views.quality.histories(LESSON)) == {XUAN_ROOM.id}
        assert list(views.quality.all_shown()) == [AWAY]
        await conductor.end(LESSON, "teacher", EndReason.TAP)
        assert site(await views.lessons.get(LESSON), XUAN_ROOM).quality is None
        after = (await views.quality.histories(LESSON))[XUAN_ROOM.id]
        assert after.column(Column.WORD)[-1] == 2
    async with house.conducted() as (_, views):  # a later controller
        kept = (await views.quality.histories(LESSON))[XUAN_ROOM.id]
        assert kept.stored() == after.stored()


async def test_history_goes_on_after_a_restart_of_the_controller(house: House) -> None:
    await house.plan()
    started = house.clock()
    earlier = History(started - timedelta(minutes=1))
    earlier.add(started - timedelta(minutes=1), [0, 7, *[0] * 7])
    await house.store.quality.put(LESSON, {XUAN_ROOM.id: earlier.stored()}, house.clock())
    async with watched(house) as (conductor, views):
        display = await house.pair(views, XUAN_ROOM, "display")
        await conductor.start(LESSON, "teacher")
        await house.until(house.held)
        whip = (await call(views, display)).whip
        async with publish(house.media(whip.url), whip.token, [Picture(200), Tone()]):
            await house.until_view(views, lambda view: site(view, XUAN_ROOM).quality is not None)
        history = (await views.quality.histories(LESSON))[XUAN_ROOM.id]
    assert history.start == earlier.start
    assert history.column(Column.UP_KBPS)[0] == 7
    assert len(history) > 25


async def test_nothing_is_said_of_a_room_that_left_and_its_history_stays(house: House) -> None:
    await house.plan()
    async with watched(house) as (conductor, views):
        display = await house.pair(views, LOI_ROOM, "display")
        await conductor.start(LESSON, "teacher")
        await house.until(house.held)
        whip = (await call(views, display)).whip
        async with publish(house.media(whip.url), whip.token, [Picture(200), Tone()]):
            await house.until_view(views, lambda view: site(view, LOI_ROOM).quality is not None)
        await house.store.lessons.set_invitation(LESSON, LOI_ROOM.id, InvitationState.DECLINED)
        await conductor.look(LESSON)
        assert list(views.quality.all_shown()) == []
        assert set(await views.quality.histories(LESSON)) == {LOI_ROOM.id}


async def test_words_do_not_wait_for_a_slow_database(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    writes, passes = asyncio.Event(), asyncio.Event()

    async def slow(*_: object) -> None:
        writes.set()
        async with asyncio.timeout(60):
            await passes.wait()

    monkeypatch.setattr("controller.quality.watch.WRITE_S", 0.1)
    monkeypatch.setattr(QualityStore, "put", slow)
    await house.plan()
    async with watched(house) as (conductor, views):
        display = await house.pair(views, XUAN_ROOM, "display")
        await conductor.start(LESSON, "teacher")
        await house.until(house.held)
        whip = (await call(views, display)).whip
        async with publish(house.media(whip.url), whip.token, [Picture(200), Tone()]):
            async with asyncio.timeout(20):
                await writes.wait()
            await house.until_view(views, lambda view: site(view, XUAN_ROOM).quality is not None)
        await house.until_view(views, lambda view: site(view, XUAN_ROOM).quality == AWAY)
        passes.set()


async def test_a_node_that_is_gone_is_no_fault_of_the_sites(house: House) -> None:
    await house.plan()
    async with watched(house) as (conductor, views):
        display = await house.pair(views, XUAN_ROOM, "display")
        await conductor.start(LESSON, "teacher")
        await house.until(house.held)
        whip = (await call(views, display)).whip
        async with publish(house.media(whip.url), whip.token, [Picture(200), Tone()]):
            await house.until_view(views, lambda view: site(view, XUAN_ROOM).quality is not None)
            house.kill_node()
            await house.until_view(views, lambda view: site(view, XUAN_ROOM).quality in (AWAY, NODE_AWAY))


async def test_what_is_old_is_forgotten(house: House) -> None:
    await house.plan()
    kept = house.store.quality
    now = house.clock()
    history = History(now)
    history.add(now, [0, *[1] * 8])
    await kept.put(
        LESSON, {XUAN_ROOM.id: history.stored(), LOI_ROOM.id: history.stored()}, now - KEPT - timedelta(seconds=1)
    )
    await kept.forget(now)
    assert await kept.get(LESSON) == {}
    await kept.put(LESSON, {XUAN_ROOM.id: history.stored()}, now - KEPT + timedelta(hours=1))
    await kept.put(LESSON, {XUAN_ROOM.id: history.stored()}, now)  # written again
    await kept.forget(now)
    assert set(await kept.get(LESSON)) == {XUAN_ROOM.id}
