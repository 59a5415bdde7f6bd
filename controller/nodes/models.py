"""JSON of bridge nodes."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import StringConstraints

from controller.config.model import TurnConfig
from controller.nodes.lease import Terms
from controller.nodes.node import NodeState, NodeView
from controller.schema import Count, Key, Model, OptionalText

ControlUrl = Annotated[
    str, StringConstraints(pattern=r"^https?://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?$", max_length=200)
]


class NodeRegistrationJson(Model):
    """What a node says of itself. `url`: where its control interface is reached from here."""

    name: Key
    url: ControlUrl
    node: OptionalText = ""  # another one at each start
    udp_port: Count = 0
    capacity: Count = 0
    version: OptionalText = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeTurnJson:
    """The TURN servers that the node's clients may use, and the secret that it makes their credentials of."""

    urls: list[str]
    secret: str
    lifetime_s: float

    @classmethod
    def of(cls, turn: TurnConfig) -> "NodeTurnJson":
        return cls(urls=list(turn.urls), secret=turn.secret.value, lifetime_s=turn.lifetime.total_seconds())


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeLeaseJson:
    lease_s: float
    turn: NodeTurnJson | None

    @classmethod
    def of(cls, terms: Terms) -> "NodeLeaseJson":
        return cls(lease_s=terms.lease_s, turn=None if terms.turn is None else NodeTurnJson.of(terms.turn))


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeJson:
    """`cpu`: share of one core, 0 to 1; `capacity`: connections it takes at most, 0: any."""

    name: str
    state: NodeState
    url: str | None
    version: str
    lessons: int
    cpu: float
    packets_in_per_s: int
    packets_out_per_s: int
    connections: int
    capacity: int

    @classmethod
    def of(cls, view: NodeView) -> "NodeJson":
        load = view.load
        return cls(
            name=view.name,
            state=view.state,
            url=view.url,
            version=load.version,
            lessons=view.bridges,
            cpu=load.cpu,
            packets_in_per_s=load.packets_in_per_s,
            packets_out_per_s=load.packets_out_per_s,
            connections=load.connections,
            capacity=load.capacity,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class NodesJson:
    nodes: list[NodeJson]


class NodeDutyJson(Model):
    draining: bool
