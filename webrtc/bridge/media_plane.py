"""The media plane of a node: one port and the bridges that share it."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial
from time import monotonic
from types import TracebackType
from typing import Literal, Self

from webrtc.bridge.bridge import Bridge
from webrtc.bridge.connection import Connection, Transport
from webrtc.bridge.publication import Publication
from webrtc.bridge.subscription import Subscription
from webrtc.errors import BridgeFull, BridgeNotFound, ConnectionNotFound, HandshakeFailed
from webrtc.forwarding import engines
from webrtc.sdp.offer import Candidate, parse_offer
from webrtc.shared.ids import BridgeId, ClientId, ConnectionId, ParticipantId
from webrtc.shared.policy import Policy
from webrtc.transport.demux import Demultiplexer
from webrtc.transport.dtls import Certificate
from webrtc.transport.ice import IceLite
from webrtc.transport.listen import MediaPort
from webrtc.transport.receive import ReceiveBuffer
from webrtc.transport.srtp import PacketBuffer

logger = logging.getLogger(__name__)

TICK_S = 0.05
TURN_S = 0.002  # of ticking, before the event loop reads packets again
# Of the first host candidate of each kind (RFC 8445 5.1.2.1). TCP has a lower type preference than UDP. Its local
# preference holds the direction preference of a passive candidate (RFC 6544 4.2).
PRIORITIES: Mapping[Literal["udp", "tcp"], int] = {
    "udp": 126 << 24 | 65535 << 8 | 255,
    "tcp": 90 << 24 | (4 << 13 | 8191) << 8 | 255,
}


class MediaPlane:
    """Owns the sockets, the certificate and every connection's task. An async context manager.

    `hosts`, `port`, `tcp`: see `MediaPort`. `advertise`: the addresses put into answers as candidates, with that port,
    the preferred one first.
    `changed`: called on the event loop when a bridge's state has changed in a way worth an event (not per packet).
    """

    def __init__(
        self,
        *,
        hosts: Sequence[str],
        port: int,
        advertise: Sequence[str],
        tcp: bool = True,
        changed: Callable[[BridgeId], None] | None = None,
    ) -> None:
        self._hosts = tuple(hosts)
        self._asked_port = port
        self._advertise = tuple(advertise)
        self._tcp = tcp
        self._changed = changed or (lambda _: None)
        self._bridges: dict[BridgeId, Bridge] = {}
        self._connections: dict[ConnectionId, Connection] = {}
        self._tasks: dict[ConnectionId, asyncio.Task[None]] = {}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        ice = IceLite()
        engine = engines.chosen
        forwarder = engine.forwarder()
        demultiplexer = Demultiplexer(received=ReceiveBuffer(), peers=ice.peers, receive_stun=ice.receive)
        async with AsyncExitStack() as stack:
            self._media = await stack.enter_async_context(
                MediaPort(
                    hosts=self._hosts,
                    port=self._asked_port,
                    advertise=self._advertise,
                    tcp=self._tcp,
                    demultiplexer=demultiplexer,
                    inbox=engine.inbox,
                    outgoing=forwarder,
                    ended=ice.forget,
                )
            )
            self._transport = Transport(
                ice=ice,
                certificate=Certificate(),
                candidates=tuple(self._candidates(self._media.port)),
                engine=engine,
                forwarder=forwarder,
                reports=PacketBuffer(),
            )
            self._group = await stack.enter_async_context(asyncio.TaskGroup())
            self._ticking = self._group.create_task(self._tick(), name="media plane tick")
            self._stack = stack.pop_all()
        reason = f" ({engines.missing})" if engines.missing else ""
        logger.info("media plane: forwards by the %s engine%s", engine.name, reason)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for bridge_id in list(self._bridges):
            await self.close_bridge(bridge_id)
        self._ticking.cancel()
        await self._stack.__aexit__(kind, error, traceback)

    @property
    def port(self) -> int:
        """The port in use, never 0."""
        return self._media.port

    @property
    def bridges(self) -> Mapping[BridgeId, Bridge]:
        return self._bridges

    @property
    def connections(self) -> Mapping[ConnectionId, Connection]:
        return self._connections

    @property
    def refused(self) -> int:
        """Datagrams dropped before any connection saw them: bad lengths, unknown senders, false checks."""
        return self._media.refused + self._transport.ice.refused

    def open_bridge(self, bridge_id: BridgeId, policy: Policy) -> Bridge:
        """The bridge of that id, opened if there is none; a known one takes the new `policy`."""
        bridge = self._bridges.get(bridge_id)
        if bridge is None:
            bridge = self._bridges[bridge_id] = Bridge(bridge_id, policy, self._changed)
            logger.info("bridge %s: open", bridge_id)
            self._changed(bridge_id)
        elif bridge.policy != policy:
            bridge.follow(policy)
        return bridge

    async def close_bridge(self, bridge_id: BridgeId) -> None:
        """End the bridge and all its connections; nothing if there is none."""
        bridge = self._bridges.pop(bridge_id, None)
        if bridge is None:
            return
        await self._end(bridge.connections)
        logger.info("bridge %s: closed", bridge_id)
        self._changed(bridge_id)

    async def publish(
        self, bridge_id: BridgeId, participant: ParticipantId, client: ClientId, offer_text: str
    ) -> Connection:
        """Receive what `client` sends; replaces its older publication.

        Raises `InvalidSdp`, `BridgeNotFound`, `BridgeFull`.
        """
        return await self._connect(Publication, bridge_id, participant, client, offer_text)

    async def subscribe(
        self, bridge_id: BridgeId, participant: ParticipantId, client: ClientId, offer_text: str
    ) -> Connection:
        """Send the others' tracks to `client`; replaces its older subscription. Raises as `publish`."""
        return await self._connect(Subscription, bridge_id, participant, client, offer_text)

    async def close_connection(self, connection_id: ConnectionId) -> None:
        """Raises `ConnectionNotFound`."""
        connection = self._connections.get(connection_id)
        if connection is None:
            raise ConnectionNotFound(connection_id)
        await self._end([connection])

    def _candidates(self, port: int) -> Iterator[Candidate]:
        transports: tuple[Literal["udp", "tcp"], ...] = ("udp", "tcp") if self._tcp else ("udp",)
        for transport in transports:
            for i, ip in enumerate(self._advertise):
                yield Candidate(ip=ip, port=port, priority=PRIORITIES[transport] - (i << 8), transport=transport)

    async def _connect(
        self,
        direction: type[Publication] | type[Subscription],
        bridge_id: BridgeId,
        participant: ParticipantId,
        client: ClientId,
        offer_text: str,
    ) -> Connection:
        offer = parse_offer(offer_text)
        bridge = self._bridges.get(bridge_id)
        if bridge is None:
            raise BridgeNotFound(bridge_id)
        connection = direction(
            transport=self._transport,
            participant=participant,
            client=client,
            offer=offer,
            changed=bridge.arrange,
            state_changed=partial(self._changed, bridge.id),
        )
        try:
            older = bridge.add(connection)
        except BridgeFull:
            connection.discard()
            raise
        self._connections[connection.id] = connection
        task = self._group.create_task(self._serve(connection), name=f"connection {connection.label}")
        task.add_done_callback(lambda _: self._forget(bridge, connection))  # also for one cancelled before it began
        self._tasks[connection.id] = task
        if older is not None:
            await self._end([older])
        return connection

    async def _serve(self, connection: Connection) -> None:
        """Run a connection to its end. Whatever that is, the others go on."""
        try:
            await connection.run()
        except HandshakeFailed as error:
            logger.info("connection %s: %s", connection.label, error)
        except Exception:  # noqa: BLE001  # the rim of one connection: a fault in it must not end the lesson
            logger.exception("connection %s: ended by a fault", connection.label)

    def _forget(self, bridge: Bridge, connection: Connection) -> None:
        bridge.remove(connection)
        connection.discard()  # also where it never ran
        connection.release()
        del self._connections[connection.id], self._tasks[connection.id]
        logger.info("connection %s: ended", connection.label)

    async def _end(self, connections: Iterable[Connection]) -> None:
        """Close `connections` and return once nothing of them runs."""
        tasks = [task for each in connections if (task := self._tasks.get(each.id)) is not None]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def _tick_connection(self, connection: Connection, now: float) -> None:
        try:
            connection.tick(now)
        except Exception:  # noqa: BLE001  # the rim of one connection: the others have their turn
            logger.exception("connection %s: ended by a fault", connection.label)
            connection.end()
        if not connection.consents(now) and connection.id in self._tasks:
            logger.info("connection %s: the client is silent", connection.label)
            self._tasks[connection.id].cancel()

    async def _tick(self) -> None:
        while True:
            turn_ends = monotonic() + TURN_S
            for bridge in list(self._bridges.values()):
                try:
                    bridge.tick(monotonic())
                except Exception:  # noqa: BLE001  # the rim of one bridge: a fault in it must not end the other lessons
                    logger.exception("bridge %s: a fault", bridge.id)
            for connection in list(self._connections.values()):
                now = monotonic()
                if now > turn_ends:  # packets must not wait for housekeeping
                    await asyncio.sleep(0)
                    turn_ends = monotonic() + TURN_S
                self._tick_connection(connection, now)
            await asyncio.sleep(TICK_S)
