"""Who was let into a live lesson and may no longer be there: put out, and kept out although the token is good."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import pytest
from argon2 import PasswordHasher

from controller.changes import ChangeKind
from controller.displays.media_tokens import MediaGrant
from controller.displays.pairing import Pairing
from controller.displays.pairing_codes import PairingCodes
from controller.lessons.audience import Audience, Guest
from controller.lessons.conductor import Conductor
from controller.nodes.bridge_report import is_viewer, viewer
from controller.people.password import Passwords
from controller.people.people import People
from controller.views.views import Views
from demo.whip_client import play, publish
from rooms.errors import StoreUnavailable
from rooms.invitation import InvitationState
from rooms.people.account import Account, Identity, Role, RoleAt
from rooms.people.rights import OWNER
from tests.controller.conducted import LESSON, House
from tests.controller.stage import running
from tests.rooms.samples import LOI, LOI_ROOM, XUAN, XUAN_ROOM
from tests.webrtc.pictures import Picture

PASSWORD = "correct horse battery"


@dataclass
class Watching:
    """A lesson that is live, and people who watch it."""

    house: House
    conductor: Conductor
    views: Views
    people: People
    audience: Audience
    pairing: Pairing

    async def person(self, name: str, *roles: RoleAt) -> Identity:
        """Somebody who has just logged in."""
        account = await self.people.accounts.add(
            name=name, display_name=name, password=PASSWORD, roles=roles, rights=OWNER, actor="test"
        )
        return await self.again(account)

    async def again(self, account: Account) -> Identity:
        return (await self.people.logins.begin(account, address="10.0.0.1")).identity

    async def view(self, who: Identity) -> MediaGrant:
        now = self.house.clock()
        return (
            self.views.watching.watch(
                await self.house.store.lessons.get(LESSON), who.account.id, who.client, "tab", known=now
            )
        ).whep

    def viewers(self) -> set[str]:
        bridge = self.house.nodes.state(LESSON)
        return {each.id for each in bridge.participants if is_viewer(each.id)} if bridge else set()

    async def status(self, grant: MediaGrant) -> int:
        """Of an attempt to come with that token; a good one is told that this is no offer."""
        http, headers = self.house.http, {"Authorization": f"Bearer {grant.token}", "Content-Type": "application/sdp"}
        async with http.post(self.house.media(grant.url), data="no offer", headers=headers) as answer:
            return answer.status


@asynccontextmanager
async def watching(house: House) -> AsyncIterator[Watching]:
    store, clock, changes = house.store, house.clock, house.changes
    people = People.over(
        store,
        clock=clock,
        passwords=Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)),
        changed=lambda id: changes.publish(ChangeKind.ACCOUNT, id),
    )
    await house.plan()
    async with asyncio.timeout(60), house.conducted() as (conductor, views):
        audience = Audience(
            people.accounts,
            store=store,
            conductor=conductor,
            nodes=house.nodes,
            changes=changes,
            guests=views.watching.guests,
            clock=clock,
        )
        async with running(audience.run()):
            await conductor.start(LESSON, "teacher")
            await house.until(house.held)
            pairing = Pairing(
                store,
                codes=PairingCodes(clock=clock),
                displays=views.displays,
                conductor=conductor,
                nodes=house.nodes,
                changes=changes,
                clock=clock,
            )
            yield Watching(house, conductor, views, people, audience, pairing)


async def test_whoever_lost_what_let_them_in_is_put_out_and_kept_out(house: House) -> None:
    async with watching(house) as lesson, AsyncExitStack() as stack:
        people, teacher = lesson.people, RoleAt(Role.TEACHER, XUAN)

        async def taken(who: Identity) -> None:
            await people.accounts.grant(who.account.id, RoleAt(Role.TECHNICIAN, XUAN), rights=OWNER, actor="test")
            await people.accounts.take(who.account.id, teacher, rights=OWNER, actor="test")

        ways: dict[str, Callable[[Identity], Awaitable[object]]] = {
            "logout": lambda who: people.logins.end(who.login_id or pytest.fail("no login"), who.account.id),
            "everywhere": lambda who: people.logins.end_all(who.account.id, rights=OWNER, actor="test"),
            "reset": lambda who: people.links.reset(who.account.id, rights=OWNER, actor="test"),
            "suspended": lambda who: people.accounts.suspend(who.account.id, rights=OWNER, actor="test"),
            "taken": taken,
        }
        stays = await lesson.person("stays", teacher)
        theirs = {name: await lesson.person(name, teacher) for name in ways}
        grants = {name: await lesson.view(who) for name, who in theirs.items()}
        kept = await lesson.view(stays)
        for grant in (*grants.values(), kept):
            await stack.enter_async_context(play(house.media(grant.url), grant.token, video=1, audio=1))
        everybody = {viewer(each.account.id) for each in (*theirs.values(), stays)}
        await house.until_nodes(lambda: lesson.viewers() == everybody)
        for name, lose in ways.items():
            gone = viewer(theirs[name].account.id)
            await lose(theirs[name])
            await house.until_nodes(lambda gone=gone: gone not in lesson.viewers())  # type: ignore[misc]
        assert lesson.viewers() == {viewer(stays.account.id)}
        assert [await lesson.status(each) for each in grants.values()] == [401] * len(ways)
        assert await lesson.status(kept) == 400
        back = await lesson.again(theirs["logout"].account)
        assert await lesson.status(await lesson.view(back)) == 400


async def test_one_login_ends_and_the_other_of_the_same_person_goes_on(house: House) -> None:
    async with watching(house) as lesson:
        here = await lesson.person("lan", RoleAt(Role.TEACHER, XUAN))
        there = await lesson.again(here.account)
        old, other = await lesson.view(here), await lesson.view(there)
        assert here.login_id is not None
        await lesson.people.logins.end(here.login_id, here.account.id)
        await until_status(lesson, old, 401)
        assert await lesson.status(other) == 400


async def test_a_school_that_leaves_takes_its_people_along_and_may_come_back(house: House) -> None:
    async with watching(house) as lesson:
        host = await lesson.person("host", RoleAt(Role.TEACHER, XUAN))
        guest = await lesson.person("guest", RoleAt(Role.TEACHER, LOI))
        hosts, guests = await lesson.view(host), await lesson.view(guest)
        shared = lesson.views.watching.screen(
            await house.store.lessons.get(LESSON), LOI_ROOM.id, f"{guest.client}-laptop", known=house.clock()
        )
        await house.store.lessons.set_invitation(LESSON, LOI_ROOM.id, InvitationState.DECLINED)
        await lesson.conductor.look(LESSON)
        for gone in (guests, shared):
            await until_status(lesson, gone, 401)
        assert await lesson.status(hosts) == 400
        await house.store.lessons.set_invitation(LESSON, LOI_ROOM.id, InvitationState.ACCEPTED)
        await lesson.conductor.look(LESSON)
        assert await lesson.status(await lesson.view(guest)) == 400
        assert [await lesson.status(each) for each in (guests, shared)] == [401, 401]


async def test_a_shared_screen_ends_with_the_role_and_a_displays_own_does_not(house: House) -> None:
    async with watching(house) as lesson:
        who = await lesson.person("lan", RoleAt(Role.TEACHER, XUAN), RoleAt(Role.TECHNICIAN, XUAN))
        await house.pair(lesson.views, XUAN_ROOM, "s23456789abc")
        mine = lesson.views.watching.screen(
            await house.store.lessons.get(LESSON), XUAN_ROOM.id, f"{who.client}-laptop", known=house.clock()
        )
        own = lesson.views.watching.screen(
            await house.store.lessons.get(LESSON), XUAN_ROOM.id, "s23456789abc", known=house.clock()
        )
        async with publish(house.media(own.url), own.token, [Picture(90)]):
            await house.until_nodes(lambda: bool(house.nodes.state(LESSON).participants))  # type: ignore[union-attr]
            await lesson.people.accounts.take(who.account.id, RoleAt(Role.TEACHER, XUAN), rights=OWNER, actor="test")
            await until_status(lesson, mine, 401)
            assert await lesson.status(own) == 400


async def test_an_unpaired_display_is_put_out_and_another_of_its_room_is_not(house: House) -> None:
    async with watching(house) as lesson:
        other = await house.pair(lesson.views, XUAN_ROOM, "other", minutes_ago=1)
        id = await house.pair(lesson.views, XUAN_ROOM, "display")
        state = await lesson.views.display_states.state(id)
        assert state.call is not None
        async with publish(house.media(state.call.whip.url), state.call.whip.token, [Picture(90)]):
            await house.until_nodes(lambda: bool(house.nodes.state(LESSON).participants))  # type: ignore[union-attr]
            await lesson.pairing.unpair(id, rights=OWNER, actor="test")
            await house.until_nodes(lambda: not house.nodes.state(LESSON).participants)  # type: ignore[union-attr]
        old = (state.call.whip, state.call.whep, state.call.screen)
        assert [await lesson.status(each) for each in old] == [401] * 3
        lesson.house.leave(id)
        next_one = (await lesson.views.display_states.state(other)).call
        assert next_one is not None
        assert await lesson.status(next_one.whip) == 400


async def test_a_token_given_while_the_right_goes_is_void(house: House) -> None:
    """The request had read its rights before; its token was made after."""
    async with watching(house) as lesson:
        who = await lesson.person("lan", RoleAt(Role.TEACHER, XUAN))
        asked = house.clock()
        await lesson.people.logins.end_all(who.account.id, rights=OWNER, actor="test")
        late = lesson.views.watching.watch(
            await house.store.lessons.get(LESSON), who.account.id, who.client, "tab", known=asked
        )
        (live,) = lesson.conductor.live()
        await lesson.audience.look_again(live, who.account.id)
        await until_status(lesson, late.whep, 401)


async def test_who_may_stay_is_looked_at_again_when_the_database_is_back(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("controller.lessons.audience.RETRY_S", 0.05)
    async with watching(house) as lesson:
        who = await lesson.person("lan", RoleAt(Role.TEACHER, XUAN))
        given = await lesson.view(who)
        holder, failed = lesson.people.accounts.holder, asyncio.Event()

        async def away(client: str) -> Account | None:
            if failed.is_set():
                return await holder(client)
            failed.set()
            raise StoreUnavailable("the database is being started again")

        monkeypatch.setattr(lesson.people.accounts, "holder", away)
        await lesson.people.logins.end_all(who.account.id, rights=OWNER, actor="test")
        await until_status(lesson, given, 401)
        assert failed.is_set()


async def test_login_that_has_expired_is_found(house: House) -> None:
    async with watching(house) as lesson:
        who = await lesson.person("lan", RoleAt(Role.TEACHER, XUAN))
        given = await lesson.view(who)
        house.clock.move(timedelta(hours=12))
        lesson.house.changes.publish(ChangeKind.ACCOUNT, who.account.id)
        (live,) = lesson.conductor.live()
        assert Guest(viewer(who.account.id), f"{who.client}-tab") in lesson.views.watching.guests(live.id)
        await until_status(lesson, given, 401)


async def until_status(lesson: Watching, grant: MediaGrant, wanted: int) -> None:
    async with asyncio.timeout(20):
        while await lesson.status(grant) != wanted:
            pass
