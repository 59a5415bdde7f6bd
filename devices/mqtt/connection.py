"""One connection to an MQTT 3.1.1 broker, on the event loop: no threads, no callbacks outside.

    async with connect(settings) as mqtt:
        await mqtt.subscribe(["sc/1/le-loi/+/+/desc"])
        while True:
            for message in await mqtt.receive(): ...

paho-mqtt speaks the protocol; this file gives it a connected socket and tells it when to read and write.
"""

import asyncio
import itertools
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Self
from urllib.parse import unquote, urlsplit

from paho.mqtt.client import (
    Client,
    ConnectFlags,
    DisconnectFlags,
    MQTTMessage,
)
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from devices.errors import BrokerLost, BrokerRefused
from devices.mqtt.message import Message, Publish

INBOUND_LIMIT = 1_000
INBOUND_BYTES_LIMIT = 8 * 1024 * 1024
"""Messages that may wait for `receive`, and their payloads. When they do, the socket is not read: TCP slows the broker
down, which queues or drops by its own limits. Nothing is dropped here."""
RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024
"""Of the socket; Linux gives at most net.core.rmem_max."""
READ_AHEAD_BYTES = 64 * 1024
TLS_RECORD_BYTES = 16 * 1024
"""What one read gives at most where the connection is encrypted."""
READ_FOR_S = 0.004
"""In one turn of the loop; then others have theirs. A packet takes 10 us, one of 1 MB 300."""
CONNECT_TIMEOUT_S = 10.0
ANSWER_TIMEOUT_S = 10.0
"""For a PUBACK, SUBACK or UNSUBACK."""
_REFUSED = {"Bad user name or password", "Not authorized", "Client identifier not valid"}


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class MqttSettings:
    """Where the broker is and who we are."""

    host: str
    port: int = 1883
    tls: bool = False
    ca_file: Path | None = None  # None: the system's authorities
    username: str = ""
    password: str = field(default="", repr=False)
    client_id: str = ""  # "": the broker chooses one
    keepalive_s: int = 30

    @classmethod
    def parse(cls, url: str, *, ca_file: Path | None = None, client_id: str = "") -> Self:
        """From `mqtt://[user:password@]host[:1883]` or `mqtts://…[:8883]`. Raises `ValueError`."""
        parts = urlsplit(url)
        if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname or parts.path not in ("", "/"):
            raise ValueError("a broker's address looks like mqtt://host:1883 or mqtts://host:8883")
        tls = parts.scheme == "mqtts"
        return cls(
            host=parts.hostname,
            port=parts.port or (8883 if tls else 1883),
            tls=tls,
            ca_file=ca_file,
            username=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            client_id=client_id,
        )


@asynccontextmanager
async def connect(
    settings: MqttSettings, *, will: Publish | None = None, clock: Callable[[], datetime] = _utc_now
) -> AsyncIterator["Mqtt"]:
    """A connection, logged in, with a clean session; `will` is retained. Raises `BrokerLost`, `BrokerRefused`."""
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            connected = await _open(settings)
    except (OSError, ValueError) as error:  # TimeoutError and the errors of TLS are OSErrors; ValueError: a bad host
        raise BrokerLost(f"{settings.host}:{settings.port}: {error or type(error).__name__}") from error
    mqtt = Mqtt(settings, connected, will=will, clock=clock)
    try:
        await mqtt.logged_in()
        yield mqtt
    finally:
        await mqtt.close()


async def _open(settings: MqttSettings) -> socket.socket:
    """A TCP or TLS socket, connected, non-blocking."""
    loop = asyncio.get_running_loop()
    error: OSError | None = None
    for family, kind, protocol, _, address in await loop.getaddrinfo(
        settings.host, settings.port, type=socket.SOCK_STREAM
    ):
        plain = socket.socket(family, kind, protocol)
        try:
            plain.setblocking(False)
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await loop.sock_connect(plain, address)
            return await _secure(plain, settings) if settings.tls else plain
        except OSError as failed:
            plain.close()
            error = failed
        except BaseException:
            plain.close()
            raise
    raise error or OSError("no address")


async def _secure(plain: socket.socket, settings: MqttSettings) -> ssl.SSLSocket:
    """TLS over `plain`, the host's name checked."""
    context = ssl.create_default_context(cafile=settings.ca_file)
    secure = context.wrap_socket(plain, server_hostname=settings.host, do_handshake_on_connect=False)
    loop = asyncio.get_running_loop()
    try:
        while True:
            ready: asyncio.Future[None] = loop.create_future()
            try:
                secure.do_handshake()
                return secure
            except ssl.SSLWantReadError:
                loop.add_reader(secure, _set, ready)
            except ssl.SSLWantWriteError:
                loop.add_writer(secure, _set, ready)
            try:
                await ready
            finally:
                loop.remove_reader(secure)
                loop.remove_writer(secure)
    except BaseException:
        secure.close()
        raise


def _set(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)


class _BufferedSocket:
    """A connected socket as paho wants it, which reads ahead: paho asks for every packet in three pieces."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._buffer = b""
        self._position = 0
        self.emptied = True
        """Whether the last read took all that had come."""
        self.send = connected.send
        self.close = connected.close
        self.fileno = connected.fileno
        self.setblocking = connected.setblocking

    @property
    def read_ahead(self) -> bool:
        """Whether `recv` would give something for which the event loop does not wake us."""
        if self._position < len(self._buffer):
            return True
        return isinstance(self._socket, ssl.SSLSocket) and self._socket.fileno() >= 0 and self._socket.pending() > 0

    def recv(self, size: int) -> bytes:
        start = self._position
        if start >= len(self._buffer):
            self._buffer, start = self._socket.recv(READ_AHEAD_BYTES), 0
            most = TLS_RECORD_BYTES if isinstance(self._socket, ssl.SSLSocket) else READ_AHEAD_BYTES
            self.emptied = len(self._buffer) < most
        self._position = min(start + size, len(self._buffer))
        return self._buffer[start : self._position]


class _Client(Client):
    """paho's client on a socket that is connected already: its own way of connecting blocks.

    `_create_socket` is the one private name of paho we use. If a release drops it, paho connects by itself, blocking;
    `tests/devices/mqtt/test_connection.py` would say so.
    """

    def __init__(self, connected: _BufferedSocket, client_id: str) -> None:
        super().__init__(CallbackAPIVersion.VERSION2, client_id=client_id, reconnect_on_failure=False)
        self._connected_socket = connected

    def _create_socket(self) -> _BufferedSocket:
        return self._connected_socket


class Mqtt:
    """One connection, as given by `connect`. Every method raises `BrokerLost` once the connection has ended."""

    def __init__(
        self,
        settings: MqttSettings,
        connected: socket.socket,
        *,
        will: Publish | None,
        clock: Callable[[], datetime],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._clock = clock
        self._inbound: list[Message] = []
        self._inbound_bytes = 0
        self._arrived = asyncio.Event()
        self._drained = asyncio.Event()
        self._drained.set()
        self._logged_in: asyncio.Future[None] = self._loop.create_future()
        self._answers: dict[int, asyncio.Future[list[ReasonCode]]] = {}
        self._ended = asyncio.Event()
        self._why = "connection closed"
        self._socket: socket.socket | None = connected
        self._paused = False
        self._behind_since: float | None = None
        self._now = clock()
        self._buffered = _BufferedSocket(connected)
        self._client = self._configured(settings, self._buffered, will)
        self._keepalive = self._loop.call_later(1.0, self._keep_alive)
        self._loop.add_reader(connected, self._read)
        self._client.connect(settings.host, settings.port, settings.keepalive_s)

    def _configured(self, settings: MqttSettings, connected: _BufferedSocket, will: Publish | None) -> Client:
        client = _Client(connected, settings.client_id)
        if settings.username:
            client.username_pw_set(settings.username, settings.password)
        if will is not None:
            client.will_set(will.topic, will.payload, will.qos, retain=True)
        client.max_inflight_messages_set(0)  # not limited: callers wait for each PUBACK, so they are the limit
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        client.on_subscribe = self._on_answer
        client.on_unsubscribe = self._on_unsubscribe
        client.on_socket_close = self._on_socket_close
        client.on_socket_register_write = self._on_register_write
        client.on_socket_unregister_write = self._on_unregister_write
        return client

    async def logged_in(self) -> None:
        """Return at the broker's CONNACK. Raises `BrokerRefused`, `BrokerLost`."""
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                await self._logged_in
        except TimeoutError as error:
            raise BrokerLost("no CONNACK") from error

    async def receive(self) -> list[Message]:
        """All messages that have come since the last call, at least one, in order; at most about `INBOUND_LIMIT`."""
        while not self._inbound:
            if self._ended.is_set():
                raise BrokerLost(self._why)
            self._arrived.clear()
            await self._arrived.wait()
        messages, self._inbound, self._inbound_bytes = self._inbound, [], 0
        if self._paused and self._socket is not None:
            self._paused = False
            self._loop.add_reader(self._socket, self._read)
            self._loop.call_soon(self._read)  # for what was read ahead nothing wakes us
        return messages

    async def publish(self, message: Publish, *, retain: bool = False, timeout_s: float = ANSWER_TIMEOUT_S) -> None:
        """Return once the broker has it (QoS 1: its PUBACK; QoS 0: handed to the network).

        `retain` is for devices that describe themselves; never for commands.
        """
        if self._ended.is_set():
            raise BrokerLost(self._why)
        info = self._client.publish(message.topic, message.payload, message.qos, retain)
        self._check(info.rc)
        if message.qos:
            await self._answer(info.mid, "PUBACK", timeout_s)
            return
        try:
            async with asyncio.timeout(timeout_s):
                await self._drained.wait()
        except TimeoutError as error:
            raise BrokerLost(f"nothing could be written for {timeout_s:g} s") from error
        if self._ended.is_set():
            raise BrokerLost(self._why)

    async def subscribe(self, filters: Sequence[str], *, qos: int = 1) -> tuple[str, ...]:
        """Subscribe in one packet; return the filters that the broker refused."""
        if self._ended.is_set():
            raise BrokerLost(self._why)
        code, mid = self._client.subscribe([(each, qos) for each in filters])
        self._check(code)
        answers = await self._answer(mid or 0, "SUBACK", ANSWER_TIMEOUT_S)
        return tuple(each for each, answer in zip(filters, answers, strict=False) if answer.is_failure)

    async def unsubscribe(self, filters: Sequence[str]) -> None:
        """Unsubscribe in one packet."""
        if self._ended.is_set():
            raise BrokerLost(self._why)
        code, mid = self._client.unsubscribe(list(filters))
        self._check(code)
        await self._answer(mid or 0, "UNSUBACK", ANSWER_TIMEOUT_S)

    async def close(self) -> None:
        """Say DISCONNECT, so that the will is not sent, and close. Idempotent; at most a second."""
        if not self._ended.is_set():
            self._why = "closed by us"
            self._client.disconnect()
            with suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    await self._ended.wait()
        self._end()

    def abort(self) -> None:
        """Drop the connection without DISCONNECT, as a pulled cable would; the broker then sends the will."""
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
        self._why = "aborted"
        self._end()

    async def _answer(self, mid: int, name: str, timeout_s: float) -> list[ReasonCode]:
        """The broker's answer to packet `mid`; it cannot have come yet, the packet is only queued."""
        answer: asyncio.Future[list[ReasonCode]] = self._loop.create_future()
        self._answers[mid] = answer
        try:
            async with asyncio.timeout(timeout_s):
                return await answer
        except TimeoutError as error:
            raise BrokerLost(f"no {name} in {timeout_s:g} s") from error
        finally:
            self._answers.pop(mid, None)

    def _check(self, code: MQTTErrorCode) -> None:
        if code is not MQTTErrorCode.MQTT_ERR_SUCCESS:
            raise BrokerLost(f"{self._why}: {code.name}")

    # From here on: called by the event loop or by paho, never awaited.

    @property
    def behind_s(self) -> float:
        """For how long more has come than could be read; 0 where all is read."""
        return self._loop.time() - self._behind_since if self._behind_since is not None else 0.0

    def _read(self) -> None:
        """Take in what has come, and stop reading where too much waits to be received."""
        self._read_some()
        if self._buffered.emptied:
            self._behind_since = None
        elif self._behind_since is None:
            self._behind_since = self._loop.time()

    def _read_some(self) -> None:
        self._now = self._clock()
        until = self._loop.time() + READ_FOR_S
        try:
            for number in itertools.count():
                if number % 16 == 15 and self._loop.time() >= until:
                    break
                if len(self._inbound) >= INBOUND_LIMIT or self._inbound_bytes >= INBOUND_BYTES_LIMIT:
                    self._pause()
                    return
                self._client.loop_read()
                if not self._buffered.read_ahead:
                    return
        except (OSError, ValueError, IndexError, struct.error) as error:  # paho on bytes that are no MQTT
            self._why = f"unreadable answer from the broker: {type(error).__name__}"
            self._end()
            return
        self._loop.call_soon(self._read)  # others have their turn first

    def _pause(self) -> None:
        if not self._paused and self._socket is not None:
            self._paused = True
            self._loop.remove_reader(self._socket)

    def _keep_alive(self) -> None:
        self._client.loop_misc()
        if not self._ended.is_set():
            self._keepalive = self._loop.call_later(1.0, self._keep_alive)

    def _on_connect(
        self, _client: Client, _data: object, _flags: ConnectFlags, code: ReasonCode, _properties: Properties | None
    ) -> None:
        if self._logged_in.done():
            return
        if not code.is_failure:
            self._logged_in.set_result(None)
        elif str(code) in _REFUSED:
            self._logged_in.set_exception(BrokerRefused(str(code)))
        else:
            self._logged_in.set_exception(BrokerLost(str(code)))

    def _on_message(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            return  # MQTT 3.1.1 1.5.3: no such topic can be subscribed to; the broker should not have passed it on
        payload = bytes(message.payload)
        self._inbound.append(Message(topic=topic, payload=payload, retained=message.retain, received=self._now))
        self._inbound_bytes += len(payload)
        if len(self._inbound) == 1:
            self._arrived.set()

    def _on_publish(self, _client: Client, _data: object, mid: int, code: ReasonCode, _properties: Properties) -> None:
        self._answered(mid, [code])

    def _on_answer(
        self, _client: Client, _data: object, mid: int, codes: list[ReasonCode], _properties: Properties | None
    ) -> None:
        self._answered(mid, codes)

    def _on_unsubscribe(
        self,
        _client: Client,
        _data: object,
        mid: int,
        _codes: ReasonCode | list[ReasonCode],
        _properties: Properties | None,
    ) -> None:
        self._answered(mid, [])

    def _answered(self, mid: int, codes: list[ReasonCode]) -> None:
        answer = self._answers.get(mid)
        if answer is not None and not answer.done():
            answer.set_result(codes)

    def _on_register_write(self, _client: Client, _data: object, _socket: object) -> None:
        if self._socket is not None:
            self._drained.clear()
            self._loop.add_writer(self._socket, self._client.loop_write)

    def _on_unregister_write(self, _client: Client, _data: object, _socket: object) -> None:
        if self._socket is not None:
            self._loop.remove_writer(self._socket)
        self._drained.set()

    def _on_socket_close(self, _client: Client, _data: object, _socket: object) -> None:
        """paho is about to close the socket; `_end` follows."""
        if self._socket is not None:
            self._loop.remove_reader(self._socket)
            self._loop.remove_writer(self._socket)
            self._socket = None

    def _on_disconnect(
        self, _client: Client, _data: object, _flags: DisconnectFlags, code: ReasonCode, _properties: Properties | None
    ) -> None:
        if code.is_failure:
            self._why = str(code)
        self._end()

    def _end(self) -> None:
        """The connection is over, for whatever reason: tell everyone who waits. Idempotent."""
        self._keepalive.cancel()
        if self._socket is not None:
            self._loop.remove_reader(self._socket)
            self._loop.remove_writer(self._socket)
            self._socket.close()
            self._socket = None
        if self._ended.is_set():
            return
        self._ended.set()
        self._arrived.set()
        self._drained.set()
        lost = BrokerLost(self._why)
        if not self._logged_in.done():
            self._logged_in.set_exception(lost)
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(lost)
