"""What a node says over its events WebSocket, as it comes in."""

from typing import Literal

from pydantic import BaseModel, TypeAdapter

from webrtc.shared.state import BridgeState


class LoadReport(BaseModel):
    """How much a node has to do. `cpu`: share of one core; `capacity`: connections it takes at most, 0: any.

    `lag_s`: how late it comes to what is due. Both are smoothed.
    """

    type: Literal["load"] = "load"
    cpu: float = 0.0
    lag_s: float = 0.0
    packets_in_per_s: int = 0
    packets_out_per_s: int = 0
    connections: int = 0
    capacity: int = 0
    draining: bool = False
    version: str = ""


class Snapshot(BaseModel):
    """Everything a node holds, sent first on each connection: with its load, as a draining node gets no lesson."""

    type: Literal["snapshot"]
    node: str
    load: LoadReport = LoadReport()
    bridges: list[BridgeState]


class BridgeChanged(BaseModel):
    """One bridge as it is now."""

    type: Literal["bridge"]
    bridge: BridgeState


class BridgeClosed(BaseModel):
    """One bridge is no more."""

    type: Literal["closed"]
    bridge: str


NODE_EVENT: TypeAdapter[Snapshot | BridgeChanged | BridgeClosed | LoadReport] = TypeAdapter(
    Snapshot | BridgeChanged | BridgeClosed | LoadReport
)
