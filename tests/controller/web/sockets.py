"""Reading a WebSocket as a page does."""

import asyncio
import json
from typing import TypeAlias

import aiohttp

Json: TypeAlias = dict[str, object]
WebSocket: TypeAlias = aiohttp.ClientWebSocketResponse[bool]


async def receive(socket: WebSocket, *types: str) -> Json:
    """The next message of one of these types."""
    async with asyncio.timeout(10):
        while True:
            frame = await socket.receive()
            assert frame.type is aiohttp.WSMsgType.TEXT, frame
            message: Json = json.loads(frame.data)
            if message["type"] in types:
                return message


async def close_code(socket: WebSocket) -> int | None:
    """Read until the server has closed."""
    async with asyncio.timeout(10):
        async for _ in socket:
            pass
    return socket.close_code
