"""The embedded MQTT broker: Mosquitto where it is installed, otherwise amqtt, with one interface.

A process of its own that the controller keeps running (`controller/processes/child.py`). Files in its directory, all
private: `passwords` and `acl` (read again at SIGHUP), `controller.password`, `port`, `mosquitto.conf`, `messages/`.
"""

import asyncio
import contextlib
import errno
import logging
import os
import secrets
import shutil
import signal
import socket
import struct
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from controller.broker.access import CONTROLLER, PROBE, Access, hash_password, is_hash, username_of
from controller.broker.errors import BrokerUnavailable
from controller.config.model import Address, EmbeddedBrokerConfig
from controller.errors import FileDamaged
from controller.processes.child import Child, ChildProgram, left_running
from controller.processes.errors import ChildFailed
from controller.small_file import kept_secret, noted, read_small, write_small

__all__ = ["BrokerLogin", "EmbeddedBroker", "Engine", "hash_password", "is_hash", "username_of"]

logger = logging.getLogger(__name__)

_NAME = "broker"
_KNOCK_TIMEOUT_S = 5.0
_RELOAD_TIMEOUT_S = 10.0
_RELOAD_CHECK_S = 0.02
_SAVE_AT_LEAST_S = 60
_SAVE_APART_S = 5.0  # it writes all that is retained each time, on its only thread
_ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}
_SEARCH_PATH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"])


class Engine(StrEnum):
    MOSQUITTO = "mosquitto"
    AMQTT = "amqtt"


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerLogin:
    """How to reach the embedded broker as the controller, which may read and write everything."""

    address: Address
    username: str
    password: str = field(repr=False)


class EmbeddedBroker:
    """Its owner runs `run()` as a task. An earlier controller's schools stay until `set_schools` says otherwise."""

    def __init__(
        self,
        config: EmbeddedBrokerConfig,
        *,
        directory: Path,
        home_assistant_prefix: str = "sc/1/{school}/ha",
        engine: Engine | None = None,
        timeout: Callable[[float], AbstractAsyncContextManager[object]] = asyncio.timeout,
    ) -> None:
        """`directory` holds its files (`data_dir/broker`). `engine` None: Mosquitto if it is installed.

        `timeout`: how its silence is counted; in our own time where we may be late ourselves.
        """
        self._config = config
        self._directory = directory.absolute()
        self._prefix = home_assistant_prefix
        self._binary = shutil.which("mosquitto", path=_SEARCH_PATH)
        self.engine = engine or (Engine.AMQTT if self._binary is None else Engine.MOSQUITTO)
        self._timeout = timeout
        self._writing = asyncio.Lock()
        self._running = asyncio.Event()
        self._unsaved = asyncio.Event()
        self._schools: Mapping[str, str] | None = None
        self._controller_password = ""
        self._probe_login = (PROBE, "")
        self._address = config.listen
        self._child: Child | None = None

    async def run(self) -> None:
        """Keep the broker running until cancelled, then stop it. Raises `ChildFailed` where it cannot be started."""
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._controller_password = kept_secret(self._directory / "controller.password", at_least=16)
        earlier = left_running(self._directory, _NAME)
        port = self._config.listen.port or self._kept_port(earlier=earlier)
        listen = Address(self._config.listen.host, port)
        if not earlier and not _is_free(listen):  # what answers there would be taken for ours
            raise ChildFailed(f"mqtt.embedded.listen: {listen} is in use, perhaps by a broker of the system's own")
        self._address = Address(_ANY_ADDRESS.get(listen.host, listen.host), port)
        if self._schools is None:
            self._schools = self._kept_schools()
        try:
            self._write_access(self._schools)
        except OSError as error:
            logger.warning("broker: its files stay as they are: %s", error)
            self._probe_login = (CONTROLLER, self._controller_password)
        self._child = Child(self._program(listen), directory=self._directory, timeout=self._timeout)
        self._running.set()
        saving = asyncio.create_task(self._keep_saving(self._child), name="save retained messages")
        try:
            await self._child.run()
        finally:
            saving.cancel()
            await asyncio.wait([saving])

    async def ready(self, *, after: int = 0) -> BrokerLogin:
        """How to connect, once the broker listens and knows the schools. `after`: only after that many starts."""
        await self._running.wait()
        if self._child is not None:
            await self._child.ready(after=after)
        return BrokerLogin(address=self._address, username=CONTROLLER, password=self._controller_password)

    @property
    def schools(self) -> Mapping[str, str]:
        """Who is let in: id -> password hash. Before `set_schools`, those of an earlier controller."""
        return dict(self._schools or {})

    @property
    def child(self) -> Child | None:
        """Its process; None before `run`."""
        return self._child

    def save_soon(self) -> None:
        """Devices described themselves: have the broker write what is retained, within seconds."""
        self._unsaved.set()

    async def _keep_saving(self, child: Child) -> None:
        while True:
            await self._unsaved.wait()
            self._unsaved.clear()
            if self.engine is Engine.MOSQUITTO and child.current is not None:  # before that, the signal would end it
                child.send_signal(signal.SIGUSR1)  # mosquitto(8)
            await asyncio.sleep(_SAVE_APART_S)

    async def set_schools(self, schools: Mapping[str, str]) -> None:
        """Let in exactly these schools: id -> password hash. Connections that are still allowed stay.

        Returns once the broker acts on it, or at once while it is not running (it does when it starts). Raises
        `ValueError` for a bad id or hash, `BrokerUnavailable` where the broker does not answer, or its files cannot be
        written.
        """
        async with self._writing:
            if self._child is None:
                self._access(schools, "")  # raises for bad ones
                self._schools = dict(schools)
                return
            if schools == self._schools:
                return
            try:
                self._write_access(schools)
            except OSError as error:
                raise BrokerUnavailable(f"the broker's files cannot be written: {error.strerror}") from error
            self._schools = dict(schools)
            try:
                async with self._timeout(_RELOAD_TIMEOUT_S):
                    while self._child.current is not None:
                        try:
                            await self._probe()
                            return
                        except OSError:
                            await asyncio.sleep(_RELOAD_CHECK_S)
            except TimeoutError as error:
                raise BrokerUnavailable(f"the broker at {self._address} does not take up its new logins") from error

    async def _probe(self) -> Mapping[str, object]:
        """Raises `OSError` until the broker answers and has read the files as they are now."""
        async with self._timeout(_KNOCK_TIMEOUT_S):
            if await _lets_in(self._address, *self._probe_login):
                return {"address": str(self._address)}
        if self._child is not None:
            self._child.send_signal(signal.SIGHUP)  # it answers, so it listens to signals too
        raise PermissionError("the broker has not read its files yet")

    def _program(self, listen: Address) -> ChildProgram:
        if self.engine is Engine.AMQTT or self._binary is None:
            arguments = [sys.executable, "-m", "controller.broker.amqtt", str(listen), str(self._directory)]
            return ChildProgram(name=_NAME, arguments=arguments, probe=self._probe)
        configuration = self._configuration(listen)
        file = self._directory / "mosquitto.conf"
        noted(file, configuration)
        messages = self._directory / "messages"
        messages.mkdir(mode=0o700, exist_ok=True)
        return ChildProgram(
            name=_NAME, arguments=[self._binary, "-c", str(file)], settings=configuration, probe=self._probe
        )

    def _configuration(self, listen: Address) -> str:
        """mosquitto.conf(5)."""
        lines = [
            "# Written by nhipcau at every start; changes here are lost.",
            f"listener {listen.port} {listen.host}",
            "allow_anonymous false",
            f"password_file {self._directory / 'passwords'}",
            f"acl_file {self._directory / 'acl'}",
            "persistence true",
            f"persistence_location {self._directory / 'messages'}/",
            f"autosave_interval {_SAVE_AT_LEAST_S}",  # by time; with autosave_on_changes, few changes are never saved
            "persistent_client_expiration 7d",
            "set_tcp_nodelay true",  # else Nagle delays state messages by tens of milliseconds
            "max_inflight_messages 0",  # no limit: one slow acknowledgement must not hold up a whole school
            "max_queued_messages 100000",  # above the retained messages of a province, sent at once on connecting
            "max_queued_bytes 268435456",
            "max_packet_size 1048576",
            "log_dest stderr",
            "log_type error",
            "log_type warning",
            "log_type notice",
            "log_timestamp_format %Y-%m-%dT%H:%M:%S",
        ]
        if os.geteuid() == 0:
            # Otherwise it becomes the user `mosquitto`, who cannot read our private files nor enter our directory.
            lines.append("user root")
        return "\n".join(lines) + "\n"

    def _access(self, schools: Mapping[str, str], probe_password: str) -> Access:
        return Access.of(
            schools,
            controller_hash=hash_password(self._controller_password),
            probe_hash=hash_password(probe_password),
            home_assistant_prefix=self._prefix,
        )

    def _write_access(self, schools: Mapping[str, str]) -> None:
        probe_password = secrets.token_urlsafe(18)
        access = self._access(schools, probe_password)
        write_small(self._directory / "acl", access.acl)
        write_small(self._directory / "passwords", access.passwords)  # last: the probe's password is in it
        self._probe_login = (PROBE, probe_password)

    def _kept_schools(self) -> Mapping[str, str]:
        """Those of an earlier controller, so that nobody is thrown out when this one takes over."""
        try:
            return Access.parse(read_small(self._directory / "passwords") or "", "").schools
        except (FileDamaged, ValueError) as error:
            logger.warning("broker: %s; it is made anew", error)
            return {}

    def _kept_port(self, *, earlier: bool) -> int:
        """The port chosen earlier, on which a broker to adopt may listen; a free one where there is none."""
        file = self._directory / "port"
        try:
            kept = (read_small(file) or "").strip()
        except FileDamaged as error:
            logger.warning("%s; a port is chosen anew", error)
            kept = ""
        if kept.isdigit() and (earlier or _is_free(Address(self._config.listen.host, int(kept)))):
            return int(kept)
        with _listening_socket(Address(self._config.listen.host, 0)) as chosen:
            port = int(chosen.getsockname()[1])
        noted(file, f"{port}\n")
        return port


async def _lets_in(address: Address, username: str, password: str) -> bool:
    """Whether the broker accepts this login (MQTT 3.1.1 3.1, 3.2). Raises `OSError` where nobody answers properly."""
    fields = [f"probe-{secrets.token_hex(4)}".encode(), username.encode(), password.encode()]
    header = b"\x00\x04MQTT\x04\xc2\x00\x0a"  # level 4; user name, password, clean session; keep alive 10 s
    body = header + b"".join(struct.pack("!H", len(each)) + each for each in fields)
    reader, writer = await asyncio.open_connection(address.host, address.port)
    try:
        writer.write(bytes([0x10, len(body)]) + body)
        answer = await reader.readexactly(4)
        writer.write(b"\xe0\x00")
        await writer.drain()
    except asyncio.IncompleteReadError as error:
        raise ConnectionAbortedError("no answer to CONNECT") from error
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
    if answer[:2] != b"\x20\x02":
        raise ConnectionAbortedError("the answer to CONNECT is not MQTT")
    return answer[3] == 0


def _listening_socket(address: Address) -> socket.socket:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    return socket.create_server((address.host, address.port), family=family)


def _is_free(address: Address) -> bool:
    """Raises `ChildFailed` where the host is not one of this machine's."""
    try:
        _listening_socket(address).close()
    except (OSError, OverflowError) as error:
        if isinstance(error, OSError) and error.errno in (errno.EADDRNOTAVAIL, socket.EAI_NONAME):
            raise ChildFailed(f"mqtt.embedded.listen: {address.host} is no address of this machine") from error
        return False
    return True
