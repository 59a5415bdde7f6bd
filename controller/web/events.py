"""The WebSocket of a page: what changes, as far as whoever is logged in may see it."""

import asyncio
import contextlib

from aiohttp import web

from controller.changes import ChangeKind
from controller.network import network_of
from controller.web.call import SERVICES
from controller.web.guard import check_origin, check_settled, identify
from controller.web.messages import FROM_PAGE, DeviceRemoved, Hello, LessonRemoved, Pong
from controller.web.metrics import METRICS
from controller.web.page_changes import PAGE_CHANGES
from controller.web.reading import visible_device
from controller.web.remote import address_of
from controller.web.services import Services
from controller.web.shared_reads import PAGE_READS, PageReads, text_of
from controller.web.socket import TRY_AGAIN, Closed, Socket
from controller.web.sockets import OPEN_SOCKETS
from devices.changes import Change, Subscription
from devices.errors import DeviceNotFound
from rooms.errors import LessonNotFound
from rooms.lesson import LessonId
from rooms.people.account import Identity
from rooms.people.errors import HiddenObject, NotLoggedIn, OwnPasswordNeeded
from rooms.people.rights import Right, Rights

LOGGED_OUT = 4401
HEARTBEAT_S = 20.0
RECHECK_EVERY_S = 30.0


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
        changes = stack.enter_context(request.app[PAGE_CHANGES].subscribe(rights.homes))
        own = stack.enter_context(services.changes.subscribe(Change(ChangeKind.ACCOUNT, identity.account.id)))
        feed = Feed(socket, services, request.app[PAGE_READS], identity, rights)
        await socket.open()
        stack.enter_context(request.app[METRICS].sockets.labels("page").track_inprogress())
        return await socket.run(_listen(socket), feed.run(changes), _watch_login(request, services, own, rights))


class Feed:
    """What one page is sent, of what it may see."""

    def __init__(
        self, socket: Socket, services: Services, reads: PageReads, identity: Identity, rights: Rights
    ) -> None:
        self._socket = socket
        self._services = services
        self._reads = reads
        self._identity = identity
        self._rights = rights
        self._sent: dict[str, int] = {}  # of each lesson, the hash of its last message

    async def run(self, changes: Subscription) -> None:
        await self._socket.send(Hello(time=self._services.clock()))
        async for change in changes:
            match change.kind:
                case ChangeKind.WATCH:
                    await self._watch(LessonId(change.id))
                case ChangeKind.LESSON:
                    await self._lesson(change)
                case ChangeKind.ROOM:
                    await self._room(change)
                case _:
                    await self._device(change)
        raise Closed(TRY_AGAIN, "too far behind")

    async def _device(self, change: Change) -> None:
        try:
            device = visible_device(self._services, self._rights, Right.SEE, change.id)
        except DeviceNotFound:
            await self._socket.send_bytes(text_of(DeviceRemoved(id=change.id)))
        except HiddenObject:
            pass  # the account's rights are other ones by now, and the page is about to be closed
        else:
            await self._socket.send_bytes(await self._reads.device_message(change, device))

    async def _room(self, change: Change) -> None:
        room = await self._reads.room(change)
        if self._rights.has(Right.SEE, room.school_id):
            await self._socket.send_bytes(await self._reads.room_message(change))

    async def _lesson(self, change: Change) -> None:
        try:
            message = await self._reads.lesson_message(change, self._rights)
        except (LessonNotFound, HiddenObject):
            message = text_of(LessonRemoved(id=change.id))
        # Whoever sees little of a lesson must not see from our messages when something happens in it.
        before, self._sent[change.id] = self._sent.get(change.id), hash(message)
        if before != self._sent[change.id]:
            await self._socket.send_bytes(message)

    async def _watch(self, lesson_id: LessonId) -> None:
        account_id, login = self._identity.account.id, self._identity.client
        for slots in self._services.views.watching.slots(lesson_id, account_id, login):
            await self._socket.send(slots)


async def _listen(socket: Socket) -> None:
    """Pages have nothing to say here but that they are there."""
    async for _ in socket.messages(FROM_PAGE):
        await socket.send(Pong())


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
