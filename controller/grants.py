"""Short-lived permissions to publish into or play from a lesson's bridge."""

from collections.abc import Callable
from datetime import datetime, timedelta

from controller.errors import NodeUnavailable
from controller.nodes import Nodes
from controller.views import MediaGrant, ScreenGrant
from webrtc.ids import BridgeId, ClientId, ParticipantId
from webrtc.token import Claims, issue

TOKEN_LIFETIME = timedelta(minutes=5)


class Grants:
    """Makes grants with the key of the node that holds the bridge. All raise `NodeUnavailable` where none does."""

    def __init__(self, nodes: Nodes, clock: Callable[[], datetime]) -> None:
        self._nodes = nodes
        self._clock = clock

    def publish(self, bridge: str, participant: str, client: str) -> MediaGrant:
        """May send pictures and sound as `participant`."""
        return self._grant("whip", bridge, participant, client, publish=True)

    def play(self, bridge: str, participant: str, client: str) -> MediaGrant:
        """May receive the other participants."""
        return self._grant("whep", bridge, participant, client, publish=False)

    def screen(self, bridge: str, participant: str, device: str, epoch: str) -> ScreenGrant:
        """May share a screen as `participant`. `device`: whose screen it is; `epoch`: of the bridge."""
        client = f"{device}-screen"
        grant = self.publish(bridge, participant, client)
        return ScreenGrant(url=grant.url, token=grant.token, client=client, epoch=epoch)

    def _grant(self, protocol: str, bridge: str, participant: str, client: str, *, publish: bool) -> MediaGrant:
        secret = self._nodes.secret(bridge)
        if secret is None:
            raise NodeUnavailable(f"no node holds bridge {bridge}")
        claims = Claims(
            bridge=BridgeId(bridge),
            participant=ParticipantId(participant),
            client=ClientId(client),
            publish=publish,
            subscribe=not publish,
        )
        token = issue(claims, secret=secret, now=self._clock(), lifetime=TOKEN_LIFETIME)
        return MediaGrant(url=f"/{protocol}/{bridge}", token=token)
