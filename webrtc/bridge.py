"""The media plane of one live lesson: who is in it, and who plays whom."""

from webrtc.ids import BridgeId, ParticipantId
from webrtc.state import BridgeState


class Bridge:
    id: BridgeId
    order: tuple[ParticipantId, ...]

    def state(self) -> BridgeState:
        raise NotImplementedError
