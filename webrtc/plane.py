"""The media plane of a node: one UDP port and the bridges that share it."""

from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Self

from webrtc.bridge import Bridge
from webrtc.connection import Connection
from webrtc.ids import BridgeId, ClientId, ConnectionId, ParticipantId


class MediaPlane:
    """Owns the socket, the certificate and every connection's task.

    `advertise`: the addresses put into answers as candidates, with the port of the socket.
    `changed`: called on the event loop whenever a bridge's state has changed in a way worth an event (not per packet).
    """

    def __init__(
        self,
        *,
        host: str,
        port: int,
        advertise: Sequence[str],
        changed: Callable[[BridgeId], None] | None = None,
    ) -> None:
        raise NotImplementedError

    async def __aenter__(self) -> Self:
        raise NotImplementedError

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        raise NotImplementedError

    @property
    def port(self) -> int:
        """The UDP port in use, also where 0 was asked for."""
        raise NotImplementedError

    @property
    def bridges(self) -> Mapping[BridgeId, Bridge]:
        raise NotImplementedError

    @property
    def connections(self) -> Mapping[ConnectionId, Connection]:
        raise NotImplementedError

    def open_bridge(self, bridge_id: BridgeId, order: Sequence[ParticipantId]) -> Bridge:
        """The bridge of that id, opened if there is none; a known one takes the new `order`."""
        raise NotImplementedError

    async def close_bridge(self, bridge_id: BridgeId) -> None:
        """End the bridge and all its connections; nothing if there is none."""
        raise NotImplementedError

    async def publish(
        self, bridge_id: BridgeId, participant: ParticipantId, client: ClientId, offer_text: str
    ) -> Connection:
        """Receive what `client` sends. Replaces its older publication. Raises `BridgeNotFound`, `InvalidSdp`, `BridgeFull`."""
        raise NotImplementedError

    async def subscribe(
        self, bridge_id: BridgeId, participant: ParticipantId, client: ClientId, offer_text: str
    ) -> Connection:
        """Send the others' tracks to `client`. Replaces its older subscription. Raises as `publish`."""
        raise NotImplementedError

    async def close_connection(self, connection_id: ConnectionId) -> None:
        """Raises `ConnectionNotFound`."""
        raise NotImplementedError

    async def remove_participant(self, bridge_id: BridgeId, participant: ParticipantId) -> None:
        """End all connections of `participant`; nothing if there is no such bridge or participant."""
        raise NotImplementedError
