"""Short-lived permissions to publish into or play from a lesson's bridge."""

from dataclasses import dataclass
from datetime import datetime

from controller.nodes.bridges import TOKEN_LIFETIME, Nodes
from controller.nodes.errors import NodeUnavailable
from webrtc.shared.ids import BridgeId, ClientId, ParticipantId
from webrtc.shared.token import Claims, issue

MOST_VOICES = 3
"""So many sounds come over one connection that plays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaGrant:
    """Where to publish or play, and the short-lived token for it. The URL is a path on the controller's own address."""

    url: str
    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreenGrant(MediaGrant):
    """To share a screen of a room, over a connection of its own.

    `client`: what the share is known by (`sharing`); `epoch`: of the bridge that it is for.
    """

    client: str
    epoch: str


class Grants:
    """Makes grants with the key of the node that holds the bridge, good at this run of it.

    `known`: when it was known that the client may have it; what is taken back later voids it. All raise
    `NodeUnavailable` where no node holds the bridge.
    """

    def __init__(self, nodes: Nodes) -> None:
        self._nodes = nodes

    def publish(self, bridge: str, participant: str, client: str, known: datetime) -> MediaGrant:
        """May send pictures and sound as `participant`."""
        return self._grant("whip", bridge, participant, client, known, publish=True)

    def play(self, bridge: str, participant: str, client: str, known: datetime) -> MediaGrant:
        """May receive the other participants."""
        return self._grant("whep", bridge, participant, client, known, publish=False)

    def screen(self, bridge: str, participant: str, device: str, epoch: str, known: datetime) -> ScreenGrant:
        """May share a screen as `participant`. `device`: whose screen it is; `epoch`: of the bridge."""
        client = f"{device}-screen"
        grant = self.publish(bridge, participant, client, known)
        return ScreenGrant(url=grant.url, token=grant.token, client=client, epoch=epoch)

    def _grant(
        self, protocol: str, bridge: str, participant: str, client: str, known: datetime, *, publish: bool
    ) -> MediaGrant:
        secret, epoch = self._nodes.secret(bridge), self._nodes.epoch(bridge)
        if secret is None or epoch is None:
            raise NodeUnavailable(f"no node holds bridge {bridge}")
        claims = Claims(
            bridge=BridgeId(bridge),
            participant=ParticipantId(participant),
            client=ClientId(client),
            publish=publish,
            subscribe=not publish,
            epoch=epoch,
        )
        token = issue(claims, secret=secret, now=known, lifetime=TOKEN_LIFETIME)
        return MediaGrant(url=f"/{protocol}/{bridge}", token=token)
