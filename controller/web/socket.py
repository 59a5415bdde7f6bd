"""One WebSocket: what both of ours share. Sending is bounded in time, garbage is answered, and closing always ends."""

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine
from typing import TypeVar

from aiohttp import WSMsgType, web
from pydantic import TypeAdapter, ValidationError

from controller.schema import json_text
from controller.web.call import SERVICES
from controller.web.errors import InvalidJson
from controller.web.messages import Refusal
from controller.web.route import parse_json
from rooms.errors import StoreUnavailable

log = logging.getLogger(__name__)

STOPPING = web.AppKey("stopping", asyncio.Event)

SEND_TIMEOUT_S = 10.0
CLOSE_TIMEOUT_S = 2.0
MESSAGE_LIMIT_B = 16 * 1024
GARBAGE_LIMIT = 3
LONGEST_DETAIL = 300
MESSAGES_PER_S = 20.0  # a page sends one a second; what comes faster waits, and its sender with it
MESSAGES_AT_ONCE = 100

GOING_AWAY = 1001
POLICY = 1008
FAULT = 1011
TRY_AGAIN = 1013  # the reader is too slow; it comes back and reads everything anew


T = TypeVar("T")


class Closed(Exception):
    """We are done with this connection; `code` is what the page is told."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Socket:
    """A WebSocket that is sent and read as JSON objects."""

    def __init__(self, request: web.Request, *, heartbeat_s: float) -> None:
        """`heartbeat_s`: after so much silence, in our own time, the page is asked; it has half as long to answer."""
        self._request = request
        self._own_time = request.app[SERVICES].own_time
        self._heartbeat_s = heartbeat_s
        self._heard_at = self._own_time.now()
        self.ws = web.WebSocketResponse(
            autoping=False, max_msg_size=MESSAGE_LIMIT_B, timeout=CLOSE_TIMEOUT_S, compress=False
        )
        self._garbage = 0
        self._paced_until = 0.0

    async def open(self) -> None:
        await self.ws.prepare(self._request)

    async def send(self, message: object) -> None:
        """Send one of `controller/web/messages.py`.

        Raises `Closed` where the page takes longer than `SEND_TIMEOUT_S`, or is gone.
        """
        await self.send_text(json_text(message))

    async def send_text(self, text: str) -> None:
        await self._sent(self.ws.send_str(text))

    async def send_bytes(self, text: bytes) -> None:
        """`text` in UTF-8, as many pages may be sent it."""
        await self._sent(self.ws.send_frame(text, WSMsgType.TEXT))

    async def _sent(self, sending: Coroutine[None, None, None]) -> None:
        try:
            async with self._own_time.timeout(SEND_TIMEOUT_S):
                await sending
        except TimeoutError as error:
            raise Closed(TRY_AGAIN, "too slow") from error
        except ConnectionError as error:
            raise Closed(GOING_AWAY, "gone") from error

    async def messages(self, taken: TypeAdapter[T]) -> AsyncIterator[T]:
        """Messages as they come. What is none of `taken` is garbage; after a few the connection is `Closed`."""
        async for value in self._objects():
            try:
                message = taken.validate_python(value)
            except ValidationError as error:
                await self.refuse(*_wrong(value, error))
                continue
            yield message

    async def _objects(self) -> AsyncIterator[dict[str, object]]:
        async for message in self.ws:
            self._heard_at = self._own_time.now()
            if message.type is not WSMsgType.PONG:
                await self._pace()
            if message.type is WSMsgType.PING:
                await self._sent(self.ws.pong(message.data))
                continue
            if message.type is WSMsgType.PONG:
                continue
            if message.type is not WSMsgType.TEXT:
                await self.refuse("not-text")
                continue
            try:
                value = parse_json(message.data)
            except InvalidJson:
                await self.refuse("invalid-json")
                continue
            if isinstance(value, dict):
                yield value
            else:
                await self.refuse("not-an-object")

    async def _pace(self) -> None:
        now = asyncio.get_running_loop().time()
        self._paced_until = max(self._paced_until, now) + 1 / MESSAGES_PER_S
        ahead_s = self._paced_until - now - MESSAGES_AT_ONCE / MESSAGES_PER_S
        if ahead_s > 0:
            await asyncio.sleep(ahead_s)

    async def refuse(self, code: str, detail: str = "") -> None:
        """Answer garbage. Raises `Closed` when it was once too often."""
        await self.send(Refusal(code=code, detail=detail))
        self._garbage += 1
        if self._garbage >= GARBAGE_LIMIT:
            raise Closed(POLICY, "garbage")

    async def run(self, *parts: Coroutine[None, None, None]) -> web.WebSocketResponse:
        """Run until one of `parts` ends or the server stops; then end the others and close."""
        closed = Closed(GOING_AWAY, "")
        try:
            async with asyncio.TaskGroup() as tasks:
                own = (self._until_stopping(), self._until_silent())
                running = [tasks.create_task(part) for part in (*parts, *own)]
                await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for task in running:
                    task.cancel()
        except* Closed as group:
            closed = next(error for error in group.exceptions if isinstance(error, Closed))
        except* StoreUnavailable:
            closed = Closed(TRY_AGAIN, "later")
        except* Exception:  # noqa: BLE001 - the rim of one request: its answer has begun, no other can be given
            log.exception("WebSocket %s failed", self._request.path)
            closed = Closed(FAULT, "fault")
        await self._close(closed)
        return self.ws

    async def _until_stopping(self) -> None:
        await self._request.app[STOPPING].wait()
        raise Closed(GOING_AWAY, "restart")

    async def _until_silent(self) -> None:
        """Not aiohttp's heartbeat: it would close all connections at once where we were held up ourselves."""
        while True:
            await self._own_time.sleep(self._heartbeat_s)
            asked_at = self._own_time.now()
            if asked_at - self._heard_at < self._heartbeat_s:
                continue
            await self._sent(self.ws.ping())
            await self._own_time.sleep(self._heartbeat_s / 2)
            if self._heard_at < asked_at:
                raise Closed(GOING_AWAY, "silent")

    async def _close(self, closed: Closed) -> None:
        """Say why, and be gone within `CLOSE_TIMEOUT_S` whatever the page does."""
        task = asyncio.current_task()
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await self.ws.close(code=closed.code, message=closed.reason.encode())
        except (TimeoutError, ConnectionError):
            pass
        except asyncio.CancelledError:
            # All who send wait on one future of aiohttp's; a send that gave up has cancelled it for us, too.
            if task is None or task.cancelling():
                raise
        finally:
            transport = self._request.transport
            if transport is not None and transport.get_write_buffer_size() > 0:
                transport.abort()  # it reads nothing; what we have for it would stay with us


def _wrong(message: dict[str, object], error: ValidationError) -> tuple[str, str]:
    """What is wrong with a message, in a code and in words: where, and what. A key may be no Unicode."""
    found = error.errors(include_url=False, include_input=False, include_context=False)
    if any(each["type"].startswith("union_tag") or each["loc"] == ("type",) for each in found):
        return "unknown-type", ""
    kind = str(message["type"])
    places = (tuple(part for part in each["loc"] if part != kind) for each in found)
    words = (f"/{'/'.join(map(str, place))}: {each['msg']}" for place, each in zip(places, found, strict=True))
    return f"invalid-{kind}", "; ".join(words).encode(errors="replace").decode()[:LONGEST_DETAIL]
