"""Mosquitto, for tests and benchmarks that need a real broker and no controller."""

import asyncio
import getpass
import shutil
import socket
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from devices.mqtt.connection import MqttSettings


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Broker:
    """Mosquitto on a loopback port of its own. It keeps nothing over a restart."""

    directory: Path
    port: int = field(default_factory=_free_port)
    extra: str = ""  # more lines for its configuration
    _process: asyncio.subprocess.Process | None = None

    @property
    def settings(self) -> MqttSettings:
        return MqttSettings(host="127.0.0.1", port=self.port)

    async def start(self) -> None:
        """Start it and return once it accepts connections."""
        program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
        configuration = self.directory / "mosquitto.conf"
        configuration.write_text(
            f"listener {self.port} 127.0.0.1\n"
            + ("" if "allow_anonymous" in self.extra else "allow_anonymous true\n")
            + f"user {getpass.getuser()}\n"  # started by root it would become another, who cannot read our directory
            + "set_tcp_nodelay true\nmax_inflight_messages 0\nmax_queued_messages 0\nlog_dest stderr\n"
            + self.extra
        )
        process = await asyncio.create_subprocess_exec(
            program, "-c", str(configuration), stderr=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL
        )
        self._process = process
        assert process.stderr is not None
        async with asyncio.timeout(10):
            while line := await process.stderr.readline():
                if b" running" in line:
                    break
            else:
                raise AssertionError("mosquitto did not start")
            # It says so shortly before its main loop, and a SIGTERM in between is lost. So wait until it answers:
            # a PINGREQ before CONNECT is answered with the end of the connection.
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            writer.write(b"\xc0\x00" * 8)  # long enough to be no beginning of TLS either
            with suppress(ConnectionResetError):
                await reader.read()
            writer.close()
            with suppress(ConnectionResetError):
                await writer.wait_closed()

    async def stop(self) -> None:
        """Stop it: every connection ends, no will is sent. Idempotent."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        async with asyncio.timeout(10):
            await process.communicate()

    async def restart(self) -> None:
        await self.stop()
        await self.start()
