"""Debian's Janus as a yardstick: its VideoRoom over WebSockets, and a private instance of the server."""

import asyncio
import itertools
import json
import shutil
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

import aiohttp

from bench.core import on_core

PROGRAM = shutil.which("janus")
MODULES = Path("/usr/lib")
ROOM = 1234
START_S = 10.0

Json = dict[str, Any]  # Janus's messages; what is read of them is typed where it leaves this module


@dataclass(frozen=True, slots=True)
class Subscription:
    """`offer`: the server's SDP."""

    room: "VideoRoom"
    handle: int
    offer: str

    async def answer(self, sdp: str) -> None:
        await self.room.ask(self.handle, {"request": "start"}, {"type": "answer", "sdp": sdp})


class VideoRoom:
    """One Janus session with a room that has one publisher."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._transactions = itertools.count()
        self._session = 0
        self._feed = 0
        self._up = False

    @classmethod
    @asynccontextmanager
    async def connect(cls, http: aiohttp.ClientSession, url: str) -> AsyncIterator[Self]:
        async with http.ws_connect(url, protocols=["janus-protocol"]) as socket:
            room = cls(socket)
            room._session = (await room._request({"janus": "create"}))["data"]["id"]
            yield room

    async def publish(self, offer: str) -> str:
        """Create the room and send into it; returns the answer."""
        handle = await self._attach()
        await self.ask(handle, {"request": "create", "room": ROOM, "publishers": 1, "videocodec": "vp8"}, None)
        body = {"request": "joinandconfigure", "room": ROOM, "ptype": "publisher"}
        event = await self.ask(handle, body, {"type": "offer", "sdp": offer})
        self._feed = event["plugindata"]["data"]["id"]
        answer: str = event["jsep"]["sdp"]
        return answer

    async def until_published(self) -> None:
        """Return once media may come from the publisher: before, nobody can subscribe to it."""
        while not self._up:
            await self._receive()

    async def subscribe(self) -> Subscription:
        handle = await self._attach()
        body = {"request": "join", "room": ROOM, "ptype": "subscriber", "streams": [{"feed": self._feed}]}
        event = await self.ask(handle, body, None)
        return Subscription(self, handle, str(event["jsep"]["sdp"]))

    async def ask(self, handle: int, body: Mapping[str, object], jsep: Mapping[str, str] | None) -> Json:
        message: dict[str, object] = {"janus": "message", "handle_id": handle, "body": body}
        return await self._request(message | ({"jsep": jsep} if jsep else {}))

    async def _attach(self) -> int:
        handle: int = (await self._request({"janus": "attach", "plugin": "janus.plugin.videoroom"}))["data"]["id"]
        return handle

    async def _request(self, message: dict[str, object]) -> Json:
        """Send, and return what is not only an acknowledgement."""
        transaction = str(next(self._transactions))
        if self._session:
            message["session_id"] = self._session
        await self._socket.send_json(message | {"transaction": transaction})
        while True:
            reply = await self._receive()
            if reply.get("transaction") == transaction and reply["janus"] != "ack":
                if reply["janus"] not in ("success", "event") or "error" in reply.get("plugindata", {}).get("data", {}):
                    raise RuntimeError(json.dumps(reply))
                return reply

    async def _receive(self) -> Json:
        message: Json = await self._socket.receive_json()
        self._up = self._up or message["janus"] == "webrtcup"
        return message


@asynccontextmanager
async def janus(address: str, *, event_loops: int, core: int) -> AsyncIterator[tuple[str, int]]:
    """A private Janus on `core`, its WebSocket address and its process id. `event_loops` 0: a thread per handle."""
    assert PROGRAM is not None
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with TemporaryDirectory() as name:
        folder = Path(name)
        _write_configuration(folder, address, port, event_loops)
        process = await asyncio.create_subprocess_exec(
            PROGRAM,
            *("-F", name, "-C", str(folder / "janus.jcfg")),
            cwd=name,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            preexec_fn=on_core(core),
        )
        try:
            await _listening(port)
            yield f"ws://127.0.0.1:{port}", process.pid
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()


def _write_configuration(folder: Path, address: str, port: int, event_loops: int) -> None:
    for kind, module in (("plugins", "libjanus_videoroom.so"), ("transports", "libjanus_websockets.so")):
        [found, *_] = sorted(MODULES.glob(f"**/janus/{kind}/{module}"))
        (folder / kind).mkdir()
        (folder / kind / module).symlink_to(found)
    (folder / "janus.jcfg").write_text(
        f"""
general: {{
  configs_folder = "{folder}"
  plugins_folder = "{folder}/plugins"
  transports_folder = "{folder}/transports"
  debug_level = 1
  {f"event_loops = {event_loops}" if event_loops else ""}
}}
nat: {{
  ice_enforce_list = "{address}"
  full_trickle = false
}}
events: {{ broadcast = false }}
"""
    )
    (folder / "janus.plugin.videoroom.jcfg").write_text("general: {}\n")
    (folder / "janus.transport.websockets.jcfg").write_text(
        f"""
general: {{
  json = "compact"
  ws = true
  ws_port = {port}
  ws_ip = "127.0.0.1"
  wss = false
}}
admin: {{ admin_ws = false }}
"""
    )


async def _listening(port: int) -> None:
    async with asyncio.timeout(START_S):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except ConnectionRefusedError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                await writer.wait_closed()
                return
