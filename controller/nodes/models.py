"""JSON of bridge nodes."""

from typing import Annotated

from pydantic import StringConstraints

from controller.nodes.node import NodeState
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


class NodeTurnJson(Model):
    """The TURN servers that the node's clients may use, and the secret that it makes their credentials of."""

    urls: list[str]
    secret: str
    lifetime_s: float


class NodeLeaseJson(Model):
    lease_s: float
    turn: NodeTurnJson | None


class NodeJson(Model):
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


class NodesJson(Model):
    nodes: list[NodeJson]


class NodeDutyJson(Model):
    draining: bool
