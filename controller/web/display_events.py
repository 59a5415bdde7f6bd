"""The WebSocket of a display: shows a pairing code until it has a room, then says what it shall do."""

import asyncio
import contextlib
import logging

from aiohttp import web

from controller.changes import ChangeKind
from controller.displays.call import DisplayState
from controller.displays.errors import PairingFull
from controller.displays.pairing_codes import PairingCodes
from controller.displays.report import DisplayReport
from controller.network import network_of
from controller.people.secret import hash_of
from controller.web.call import SERVICES
from controller.web.displays import DISPLAY_COOKIE, DISPLAY_COOKIE_PATH, DISPLAY_COOKIE_S
from controller.web.errors import problem_type
from controller.web.guard import BROWSER_COOKIE, check_origin, cookie_name
from controller.web.messages import FROM_DISPLAY, DisplayPart, DisplaySending, Paired, PairingCode, Ping, Pong, Refusal
from controller.web.metrics import METRICS
from controller.web.remote import address_of
from controller.web.services import Services
from controller.web.shares import KNOWN
from controller.web.socket import TRY_AGAIN, Closed, Socket
from controller.web.sockets import OPEN_SOCKETS
from controller.web.told import Told
from devices.changes import Change, Subscription
from rooms.errors import DisplayNotFound, RoomsError, StoreUnavailable
from rooms.lesson import LessonId
from rooms.people.rights import DisplayRights
from rooms.room import Display, DisplayId, RoomId

log = logging.getLogger(__name__)

UNPAIRED = 4001
HEARTBEAT_S = 10.0
SAY_SOMETHING_EVERY_S = 1.5  # pages take 5 s of silence for a dead connection
TOUCH_EVERY_S = 60.0
ASK_PAUSE_S = 0.2  # after each wish of people in the room: a display's share of the database
LATER = "later"  # the database takes nothing now; the display asks again
RENEW_EVERY_S = 120.0  # tokens last 300 s


async def display_events(request: web.Request) -> web.StreamResponse:
    """GET /api/v1/display/events."""
    services = request.app[SERVICES]
    check_origin(request, services)
    secret = request.cookies.get(DISPLAY_COOKIE)
    display = None if secret is None else await services.store.displays.get_by_secret_hash(hash_of(secret))
    socket = Socket(request, heartbeat_s=HEARTBEAT_S)
    if display is not None and secret is not None:
        await _keep_known(request, socket, services, display, secret)
    network = network_of(address_of(request, services.trusted_proxies))
    with contextlib.ExitStack() as stack:
        stack.enter_context(request.app[OPEN_SOCKETS].one("" if display is None else display.id, network))
        await socket.open()
        stack.enter_context(request.app[METRICS].sockets.labels("display").track_inprogress())
        if display is None:
            return await socket.run(
                _pair(socket, services.pairing.codes, network), _listen(socket, None), _breathe(socket)
            )
        request[KNOWN] = True
        return await _serve(request, socket, services, display)


async def _keep_known(request: web.Request, socket: Socket, services: Services, display: Display, secret: str) -> None:
    """Have it keep its credential, and be a known browser: what others ask from its school is then not its own."""
    name = cookie_name(BROWSER_COOKIE, services)
    browser = await services.people.logins.noted(request.cookies.get(name), display.id)
    for cookie, value, path in ((DISPLAY_COOKIE, secret, DISPLAY_COOKIE_PATH), (name, browser, "/")):
        socket.ws.set_cookie(
            cookie,
            value,
            path=path,
            max_age=DISPLAY_COOKIE_S,
            httponly=True,
            samesite="Lax",
            secure=services.secure,
        )


async def _pair(socket: Socket, codes: PairingCodes, network: str) -> None:
    """Show one code after the other until a technician has typed one in; the page comes back with its cookie."""
    told: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def tell(secret: str) -> None:
        if not told.done():
            told.set_result(secret)

    while not told.done():
        try:
            offer = codes.offer(tell, network)
        except PairingFull as error:
            raise Closed(TRY_AGAIN, "too many displays") from error
        try:
            await socket.send(PairingCode(code=offer.code, expires=offer.expires))
            await asyncio.wait([told], timeout=codes.left(offer).total_seconds())
        finally:
            codes.withdraw(offer)
    await socket.send(Paired(token=told.result()))
    await asyncio.Future()  # the page closes this connection


async def _serve(request: web.Request, socket: Socket, services: Services, display: Display) -> web.StreamResponse:
    id = display.id
    with contextlib.ExitStack() as stack:
        unpaired = stack.enter_context(services.views.displays.open(id))
        topics = [Change(ChangeKind.DISPLAY, id), Change(ChangeKind.CALL, id), Change(ChangeKind.ROOM, display.room_id)]
        changes = stack.enter_context(services.changes.subscribe(*topics))
        log.info("display %s: connected", id)
        services.changes.publish(ChangeKind.ROOM, display.room_id)
        try:
            return await socket.run(
                _tell(socket, services, id, changes, unpaired),
                _listen(socket, (services, id)),
                _breathe(socket),
                _touch(services, id),
                _renew(services, id),
                _until_unpaired(unpaired),
            )
        finally:
            stack.close()
            log.info("display %s: disconnected", id)
            services.changes.publish(ChangeKind.ROOM, display.room_id)


async def _tell(
    socket: Socket, services: Services, id: DisplayId, changes: Subscription, unpaired: asyncio.Event
) -> None:
    """The whole state at once; at each of `changes`, of the display, its call or its room, what is another since then.

    So that a weak link carries the lesson: a state of 21 rooms fills 300 kbit/s for more than 0.1 s.
    """
    state, told = await _read(services, id), Told()
    await socket.send(told.next(state) or state)
    async for change in changes:
        if unpaired.is_set():
            raise Closed(UNPAIRED, "unpaired")  # a call's state is not read from the database, and has new tokens
        call_only = change.kind is ChangeKind.CALL
        state = services.views.display_states.with_call(state) if call_only else await _read(services, id)
        message = told.next(state)
        if message is not None:
            await socket.send(message)
    raise Closed(TRY_AGAIN, "too far behind")


async def _read(services: Services, id: DisplayId) -> DisplayState:
    try:
        return await services.views.display_states.state(id)
    except DisplayNotFound as error:
        raise Closed(UNPAIRED, "unpaired") from error
    except ConnectionError as error:
        raise Closed(TRY_AGAIN, "later") from error


async def _listen(socket: Socket, paired: tuple[Services, DisplayId] | None) -> None:
    """Until it has a room, a display has nothing to say but that it is there."""
    async for message in socket.messages(FROM_DISPLAY):
        if isinstance(message, Ping):
            await socket.send(Pong())
        elif paired is None:
            await socket.refuse("not-paired")
        elif isinstance(message, DisplayReport):
            services, id = paired
            services.views.displays.report(id, message)
        else:
            await _ask(socket, *paired, message)
            await asyncio.sleep(ASK_PAUSE_S)


async def _ask(socket: Socket, services: Services, id: DisplayId, message: DisplaySending | DisplayPart) -> None:
    """Do what somebody in the room wants of the room's part. What cannot be done is answered; it is no garbage."""
    try:
        room_id = (await services.store.displays.get(id)).room_id
        await _do(services, room_id, f"display {id}", message)
    except StoreUnavailable:
        await socket.send(Refusal(code=LATER))
    except RoomsError as error:
        await socket.send(Refusal(code=problem_type(error)))


async def _do(services: Services, room_id: RoomId, actor: str, message: DisplaySending | DisplayPart) -> None:
    lesson, participation = LessonId(message.lesson), services.participation
    if isinstance(message, DisplaySending):
        await participation.set_sending(
            lesson,
            room_id,
            muted=message.muted,
            camera_off=message.camera_off,
            actor=actor,
            rights=DisplayRights(room_id),
        )
        return
    step = participation.step_in if message.present else participation.step_out
    await step(lesson, room_id, actor=actor, rights=DisplayRights(room_id))


async def _breathe(socket: Socket) -> None:
    while True:
        await asyncio.sleep(SAY_SOMETHING_EVERY_S)
        await socket.send(Pong())


async def _touch(services: Services, id: DisplayId) -> None:
    """Note when it was last seen. A database that takes no writes is no reason to end what only reads."""
    while True:
        try:
            await services.store.displays.touch(id, services.clock())
        except StoreUnavailable as error:
            log.warning("display %s: not noted as seen: %s", id, error)
        await asyncio.sleep(TOUCH_EVERY_S)


async def _renew(services: Services, id: DisplayId) -> None:
    """Have the tokens of a call renewed although nothing else changes."""
    while True:
        await asyncio.sleep(RENEW_EVERY_S)
        services.changes.publish(ChangeKind.CALL, id)


async def _until_unpaired(unpaired: asyncio.Event) -> None:
    await unpaired.wait()
    raise Closed(UNPAIRED, "unpaired")
