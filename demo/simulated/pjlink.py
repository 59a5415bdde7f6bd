"""A projector that speaks PJLink over TCP, with the manners of real ones."""

import asyncio
import hashlib
import secrets
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum

from demo.simulated.machine import DONE, Speeds
from demo.simulated.projector import Projector
from devices.device import Stage

INPUTS = {"11": "VGA", "31": "HDMI 1", "32": "HDMI 2"}
POWERS = {"off": "0", "on": "1", "cooling": "2", "warming": "3"}


class Lie(StrEnum):
    """What it answers in place of the truth."""

    NONE = "none"
    GARBAGE = "garbage"
    ENDLESS = "endless"  # bytes without an end
    SLOW = "slow"  # a byte now and then
    SILENT = "silent"
    HANGS_UP = "hangs_up"  # closes the connection on each command to set something


@dataclass(slots=True, kw_only=True)
class Manners:
    """How it behaves; can be changed while it runs."""

    password: str = ""  # "": it lets everybody in
    protocol_class: int = 2
    lower_case: bool = False
    idle_s: float = 30.0  # after so long without a command it hangs up
    quiet_s: float = 0.0  # after switching on it answers nothing for so long
    errors: str = "000000"
    lie: Lie = Lie.NONE


class SimulatedPJLink:
    """One client at a time: who comes second is sent away. `received`: commands as they came; `queries` are counted."""

    def __init__(
        self,
        serial: str,
        manners: Manners | None = None,
        speeds: Speeds | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.manners = manners or Manners()
        self.machine = Projector(serial, speeds or Speeds())
        self.received: deque[str] = deque(maxlen=100)
        self.queries: Counter[str] = Counter()
        self.port = 0
        self.clients = 0  # connected now
        self.connections = 0  # so far
        self.most_clients = 0  # at the same time
        self._clock = clock
        self._serial = serial
        self._quiet_until = 0.0
        self._mute = "30"
        self._frozen = "0"
        self._serving: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def listening(self, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[None]:
        """Be there until the block ends."""
        server = await asyncio.start_server(self._accept, host, port)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield
        finally:
            server.close()
            await self.cut()

    async def cut(self) -> None:
        """End every connection without a word."""
        for task in tuple(self._serving):
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.clients += 1
        self.connections += 1
        self.most_clients = max(self.most_clients, self.clients)
        try:
            if self.clients == 1:
                await self._talk(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError):
            pass  # the client is gone, says nothing, or nothing that has an end
        finally:
            self.clients -= 1
            writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonce = secrets.token_hex(4)
        secret = self.manners.password
        await self._say(writer, f"PJLINK 1 {nonce}" if secret else "PJLINK 0")
        digest = hashlib.md5(f"{nonce}{secret}".encode(), usedforsecurity=False).hexdigest() if secret else ""
        while True:
            async with asyncio.timeout(self.manners.idle_s):
                line = (await reader.readuntil(b"\r")).decode(errors="replace").rstrip("\r")
            if not line.startswith(digest):
                await self._say(writer, "PJLINK ERRA")
                return
            line, digest = line.removeprefix(digest), ""
            if self.manners.lie is Lie.HANGS_UP and "?" not in line:
                self.received.append(line)
                return
            if self._clock() >= self._quiet_until:
                await self._answer(writer, line)

    async def _answer(self, writer: asyncio.StreamWriter, line: str) -> None:
        """One command or query: `%1POWR ?`."""
        match self.manners.lie:
            case Lie.SILENT:
                return
            case Lie.GARBAGE:
                await self._say(writer, "\x00\xff?")
            case Lie.ENDLESS:
                while True:
                    writer.write(b"x" * 65536)
                    await writer.drain()
            case Lie.SLOW:
                for byte in b"%1POWR=0" * 100:
                    writer.write(bytes([byte]))
                    await asyncio.sleep(0.05)
            case _:
                head, _, argument = line.partition(" ")
                answer = self._obey(head[1:2], head[2:].upper(), argument)
                await self._say(writer, f"{head}={answer}")

    async def _say(self, writer: asyncio.StreamWriter, text: str) -> None:
        writer.write(f"{text.lower() if self.manners.lower_case else text}\r".encode())
        await writer.drain()

    def _obey(self, protocol_class: str, name: str, argument: str) -> str:
        if int(protocol_class or 0) > self.manners.protocol_class:
            return "ERR1"
        if not argument.startswith("?"):
            self.received.append(f"{name} {argument}")
            return self._set(name, argument)
        self.queries[name] += 1
        return self._tell(name, argument[1:])

    def _set(self, name: str, argument: str) -> str:
        now = self._clock()
        if name == "POWR":
            taken = self.machine.set("power", "on" if argument == "1" else "off", now)
            if taken.stage is not Stage.FAILED and argument == "1" and taken != DONE:
                self._quiet_until = now + self.manners.quiet_s
            return "ERR3" if taken.stage is Stage.FAILED else "OK"
        if name not in ("INPT", "AVMT", "FREZ"):
            return "ERR1"
        if self._power != "on":
            return "ERR3"
        if name == "INPT":
            return self._select(argument, now)
        if name == "AVMT":
            return self._blank(argument)
        self._frozen = argument
        return "OK"

    def _select(self, code: str, now: float) -> str:
        if code not in INPUTS:
            return "ERR2"
        self.machine.set("av_source", INPUTS[code], now)
        return "OK"

    def _blank(self, argument: str) -> str:
        """`11`: picture off, `20`: sound on, `31`: both off …"""
        parts, wanted = argument[0], argument[1]
        picture, sound = self._mute in ("11", "31"), self._mute in ("21", "31")
        picture, sound = (wanted == "1" if parts in "13" else picture), (wanted == "1" if parts in "23" else sound)
        self._mute = {(True, True): "31", (True, False): "11", (False, True): "21", (False, False): "30"}[
            picture, sound
        ]
        return "OK"

    def _tell(self, name: str, about: str) -> str:
        values = self.machine.values(self._clock())
        if name in ("INPT", "AVMT", "FREZ", "INST") and values["power"] != "on":
            return "ERR3"
        source = next(code for code, each in INPUTS.items() if each == values["av_source"])
        lamp = f"{int(float(values['consumable.lamp_hours']))} {int(values['power'] == 'on')}"
        blueprint = self.machine.blueprint
        answers = {
            "POWR": POWERS[str(values["power"])],
            "INPT": source,
            "AVMT": self._mute,
            "ERST": self.manners.errors,
            "LAMP": lamp,
            "INST": " ".join(INPUTS),
            "NAME": "",
            "INF1": blueprint.manufacturer,
            "INF2": blueprint.model,
            "INFO": "",
            "CLSS": str(self.manners.protocol_class),
        }
        if self.manners.protocol_class == 2:
            answers |= {"SNUM": self._serial, "SVER": "1.0", "FREZ": self._frozen, "FILT": "120"}
            answers["INNM"] = INPUTS.get(about, "ERR2")
        return answers.get(name, "ERR1")

    @property
    def _power(self) -> str:
        return str(self.machine.values(self._clock())["power"])
