"""The embedded broker where Mosquitto is not installed: `python -m controller.broker.amqtt HOST:PORT DIRECTORY`.

amqtt in a process of its own, with our access rules in place of its plugins, because amqtt 0.12 in itself
- ends a client's session, and gives its name to the newcomer, before it checks the newcomer's password;
- sends to each new connection the retained messages of every other client's subscriptions;
- checks no rights on last wills, and puts no limit on the size of a packet.
This file closes these by overriding five private methods; tests/controller/broker/test_embedded.py holds the behaviour.
All sessions are clean here. MQTT 3.1.1 only; retained messages are lost when it ends.
"""

import asyncio
import logging
import signal
import sys
from pathlib import Path

from amqtt.adapters import ReaderAdapter, StreamReaderAdapter, StreamWriterAdapter, WriterAdapter
from amqtt.broker import Broker
from amqtt.contexts import Action, BrokerConfig, ListenerConfig
from amqtt.errors import AMQTTError, BrokerError
from amqtt.mqtt.connack import NOT_AUTHORIZED, ConnackPacket
from amqtt.mqtt.protocol.broker_handler import BrokerProtocolHandler
from amqtt.session import Session

from controller.broker.access import Access

logger = logging.getLogger(__name__)

_CONNECT_TIMEOUT_S = 10.0
_PACKET_LIMIT = 1 << 20  # bytes


class _LimitedReader(StreamReaderAdapter):  # type: ignore[misc]  # amqtt has no types
    """Ends a connection that announces a packet too large to be ours."""

    async def read(self, n: int = -1) -> bytes:
        if n > _PACKET_LIMIT:
            raise AMQTTError(f"a packet of {n} bytes")
        data: bytes = await super().read(n)
        return data


class SchoolsBroker(Broker):  # type: ignore[misc]  # amqtt has no types
    """amqtt with the rights of `Access`."""

    def __init__(self, listen: str, access: Access) -> None:
        self._access = access
        bind = listen.replace("[", "").replace("]", "")  # amqtt keeps the brackets of an IPv6 address
        super().__init__(BrokerConfig(listeners={"default": ListenerConfig(bind=bind)}, plugins={}))

    async def set_access(self, access: Access) -> None:
        """Act on new rights; end the connections whose name or password is no longer good."""
        self._access = access
        for client_id, (session, _) in list(self._sessions.items()):
            if not access.lets_in(session.username, session.password):
                logger.info("%s: no longer let in", session.username)
                await self._cleanup_session(client_id)

    async def stream_connected(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, listener_name: str
    ) -> None:
        await self._client_connected(listener_name, _LimitedReader(reader), StreamWriterAdapter(writer))

    async def _initialize_client_session(
        self, reader: ReaderAdapter, writer: WriterAdapter, remote_address: str, remote_port: int
    ) -> tuple[BrokerProtocolHandler, Session]:
        try:
            async with asyncio.timeout(_CONNECT_TIMEOUT_S):
                handler, session = await BrokerProtocolHandler.init_from_connect(reader, writer, self.plugins_manager)
        except Exception as error:  # noqa: BLE001  # amqtt meets bad bytes with whatever they happen to raise
            await writer.close()
            raise AMQTTError(f"no proper CONNECT from {remote_address}:{remote_port}: {type(error).__name__}") from None
        will_allowed = not session.will_flag or self._access.allows(session.username, session.will_topic or "")
        if not self._access.lets_in(session.username, session.password) or not will_allowed:
            await ConnackPacket.build(0, NOT_AUTHORIZED).to_stream(writer)
            await writer.close()
            raise AMQTTError(f"{session.username!r} at {remote_address}:{remote_port} is not let in")
        # A user's client ids are its own: nobody takes over another school's session.
        session.client_id = f"{session.username}/{session.client_id}"
        session.clean_session = True
        session.parent = 0
        await self._cleanup_session(session.client_id)
        return handler, session

    async def _authenticate(self, session: Session, _: ListenerConfig) -> bool:
        return True  # done, before anything else happened

    async def _topic_filtering(self, session: Session, topic: str, action: Action) -> bool:
        return self._access.allows(session.username, topic)

    async def _publish_retained_messages_for_subscription(
        self, subscription: tuple[str, int], session: Session
    ) -> None:
        """amqtt calls this for everybody's subscriptions when a client connects."""
        if any(each is session for each, _ in self._subscriptions.get(subscription[0], ())):
            await super()._publish_retained_messages_for_subscription(subscription, session)


def _read_access(directory: Path) -> Access:
    return Access.parse(
        (directory / "passwords").read_text(encoding="utf-8"), (directory / "acl").read_text(encoding="utf-8")
    )


async def serve(listen: str, directory: Path) -> None:
    """Serve until SIGTERM; read the access files again at SIGHUP."""
    loop = asyncio.get_running_loop()
    stop, reload = asyncio.Event(), asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    loop.add_signal_handler(signal.SIGHUP, reload.set)
    broker = SchoolsBroker(listen, _read_access(directory))
    try:
        await broker.start()
    except BrokerError as error:
        sys.exit(f"{listen}: {error}")
    try:
        async with asyncio.TaskGroup() as tasks:
            reloading = tasks.create_task(_keep_reloading(broker, reload, directory), name="reload")
            await stop.wait()
            reloading.cancel()
    finally:
        await broker.shutdown()


async def _keep_reloading(broker: SchoolsBroker, reload: asyncio.Event, directory: Path) -> None:
    while True:
        await reload.wait()
        reload.clear()
        await broker.set_access(_read_access(directory))


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    asyncio.run(serve(sys.argv[1], Path(sys.argv[2])))
