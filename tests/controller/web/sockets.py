"""Reading a WebSocket as a page does, and holding what comes to the served document."""

import asyncio
import json
from functools import cache
from typing import TypeAlias

import aiohttp
import jsonschema_rs

from controller.web.openapi import openapi
from controller.web.server import ROUTES, VERSION
from controller.web.socket_route import SOCKETS

Json: TypeAlias = dict[str, object]
WebSocket: TypeAlias = aiohttp.ClientWebSocketResponse[bool]


@cache
def sent() -> jsonschema_rs.Draft202012Validator:
    """Of what any of our WebSockets sends."""
    document = openapi(ROUTES, SOCKETS, version=VERSION)
    messages = [socket["sends"] for socket in document["x-websockets"].values()]
    return jsonschema_rs.Draft202012Validator({"anyOf": messages, "components": document["components"]})


async def receive(socket: WebSocket, *types: str) -> Json:
    """The next message of one of these types."""
    async with asyncio.timeout(10):
        while True:
            frame = await socket.receive()
            assert frame.type is aiohttp.WSMsgType.TEXT, frame
            message: Json = json.loads(frame.data)
            sent().validate(message)
            if message["type"] in types:
                return message


async def close_code(socket: WebSocket) -> int | None:
    """Read until the server has closed."""
    async with asyncio.timeout(10):
        async for _ in socket:
            pass
    return socket.close_code
