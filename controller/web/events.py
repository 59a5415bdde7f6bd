"""The WebSocket of a page: what changes, as far as whoever is logged in may see it."""

import asyncio
import contextlib
from datetime import timedelta

from aiohttp import web

from controller.changes import Change, ChangeKind, Subscription
from controller.network import network_of
from rooms.people.account import Identity
from rooms.people.errors import HiddenObject, NotLoggedIn, OwnPasswordNeeded
from rooms.people.rights import Right, Rights
from controller.web import render
from controller.web.call import SERVICES
from controller.web.guard import check_origin, check_settled, identify
from controller.web.metrics import METRICS
from controller.web.reading import (
    DISPLAY_SOCKETS,
    device_json,
    lesson_view_json,
    room_json,
    visible_device,
)
from controller.web.remote import address_of
from controller.web.services import Services
from controller.web.shared_reads import PAGE_READS, PageReads
from controller.web.socket import TRY_AGAIN, Closed, Socket
from controller.web.sockets import OPEN_SOCKETS, DisplaySockets
from devices.device import Device
from devices.errors import DeviceNotFound
from rooms.errors import LessonNotFound, RoomNotFound
from rooms.lesson import LessonId
from rooms.room import Room, RoomId
from rooms.school import namespace

LOGGED_OUT = 4401
HEARTBEAT_S = 20.0
RECHECK_EVERY_S = 30.0
KNOWN_LESSONS_BEFORE = timedelta(days=1)
KNOWN_LESSONS_AFTER = timedelta(days=14)
TOLD = (ChangeKind.LESSON, ChangeKind.DEVICE, ChangeKind.ROOM, ChangeKind.WATCH)


async def events(request: web.Request) -> web.StreamResponse:
    """GET /api/v1/events."""
    services = request.app[SERVICES]
    check_origin(request, services)
    identity = await identify(request, services)
    check_settled(identity)
    rights = services.people.accounts.rights(identity.account)
    socket = Socket(request, heartbeat_s=HEARTBEAT_S)
    network = network_of(address_of(request, services.trusted_proxies))
    with contextlib.ExitStack() as stack:
        stack.enter_context(request.app[OPEN_SOCKETS].one(identity.client, network))
        changes = stack.enter_context(services.changes.subscribe(*TOLD))
        own = stack.enter_context(services.changes.subscribe(Change(ChangeKind.ACCOUNT, identity.account.id)))
        feed = Feed(socket, services, request.app[DISPLAY_SOCKETS], request.app[PAGE_READS], identity, rights)
        await feed.take_stock()
        await socket.open()
        stack.enter_context(request.app[METRICS].sockets.labels("page").track_inprogress())
        return await socket.run(_listen(socket), feed.run(changes), _watch_login(request, services, own, rights))


async def _device_body(services: Services, device: Device) -> str:
    return device_json(services, device).model_dump_json()


async def _room_body(services: Services, displays: DisplaySockets, room: Room) -> str:
    return (await room_json(services, displays, room)).model_dump_json()


class Feed:
    """What one page is told. It is told that a thing is gone only if it could have seen the thing."""

    def __init__(
        self,
        socket: Socket,
        services: Services,
        displays: DisplaySockets,
        reads: PageReads,
        identity: Identity,
        rights: Rights,
    ) -> None:
        self._socket = socket
        self._services = services
        self._displays = displays
        self._reads = reads
        self._identity = identity
        self._rights = rights
        self._known: set[tuple[ChangeKind, str]] = set()
        self._told: dict[str, int] = {}  # of each lesson, the hash of its last message

    async def take_stock(self) -> None:
        """Note what can be seen now."""
        store, now = self._services.store, self._services.clock()
        mine = self._rights.schools(Right.SEE)
        corners = {namespace(each) for each in mine}
        self._known |= {(ChangeKind.ROOM, each.id) for each in await store.rooms.list(mine)}
        self._known |= {
            (ChangeKind.DEVICE, each.id) for each in self._services.hub.devices() if each.namespace in corners
        }
        lessons = await store.lessons.list(
            start=now - KNOWN_LESSONS_BEFORE, end=now + KNOWN_LESSONS_AFTER, school_ids=mine
        )
        self._known |= {(ChangeKind.LESSON, each.id) for each in lessons if self._rights.sees_lesson(each)}

    async def run(self, changes: Subscription) -> None:
        await self._socket.send({"type": "hello", "time": render.moment(self._services.clock())})
        async for change in changes:
            if change.kind is ChangeKind.WATCH:
                await self._watch(LessonId(change.id))
            else:
                await self._tell(change)
        raise Closed(TRY_AGAIN, "too far behind")

    async def _tell(self, change: Change) -> None:
        kind = change.kind.value
        try:
            body = await self._read(change)
        except (DeviceNotFound, RoomNotFound, LessonNotFound, HiddenObject):
            if (change.kind, change.id) in self._known:
                self._known.discard((change.kind, change.id))
                self._told.pop(change.id, None)
                await self._socket.send({"type": f"{kind}_removed", "id": change.id})
            return
        self._known.add((change.kind, change.id))
        if change.kind is ChangeKind.LESSON:
            # Whoever sees little of a lesson must not see from our messages when something happens in it.
            before, self._told[change.id] = self._told.get(change.id), hash(body)
            if before == self._told[change.id]:
                return
        await self._socket.send_text(f'{{"type":"{kind}","{kind}":{body}}}')

    async def _read(self, change: Change) -> str:
        """The thing's JSON, if it may be seen."""
        services, rights = self._services, self._rights
        match change.kind:
            case ChangeKind.DEVICE:
                device = visible_device(services, rights, Right.SEE, change.id)
                return await self._reads.bodies.get(change, lambda: _device_body(services, device))
            case ChangeKind.ROOM:
                room = await self._reads.rooms.get(change, lambda: services.store.rooms.get(RoomId(change.id)))
                rights.require(Right.SEE, room.school_id, "room", room.id)
                return await self._reads.bodies.get(change, lambda: _room_body(services, self._displays, room))
            case _:
                id = LessonId(change.id)
                view = await self._reads.lessons.get(change, lambda: services.showing.view(id))
                rights.require_lesson(None, view.lesson)
                return (await lesson_view_json(services, rights, view)).model_dump_json()

    async def _watch(self, lesson_id: LessonId) -> None:
        account_id, login = self._identity.account.id, self._identity.client
        for slots in self._services.showing.watch_slots(lesson_id, account_id, login):
            await self._socket.send(render.watch_slots(slots))


async def _listen(socket: Socket) -> None:
    """Pages have nothing to say here but that they are there."""
    async for message in socket.messages():
        if message.get("type") == "ping":
            await socket.send({"type": "pong"})
        else:
            await socket.refuse("unknown-type")


async def _watch_login(request: web.Request, services: Services, own: Subscription, rights: Rights) -> None:
    """End with what let the page in, or with other rights: at once where it is announced, in `own`.

    Expiry, and what another process did, within `RECHECK_EVERY_S`.
    """
    while True:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(RECHECK_EVERY_S):
                await own.any()
        try:
            now = await identify(request, services)
            check_settled(now)
        except (NotLoggedIn, OwnPasswordNeeded) as error:
            raise Closed(LOGGED_OUT, "logged out") from error
        if services.people.accounts.rights(now.account) != rights:
            raise Closed(TRY_AGAIN, "other rights")
