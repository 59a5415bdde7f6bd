"""When a lesson leaves a node that has too much to do: seldom, one at a time, and never to and fro."""

from collections.abc import Collection, Iterator

from controller.nodes.node import Node
from controller.nodes.placement import Candidate, LessonLoad, Move, relieving_move
from webrtc.shared.state import BridgeState

BETWEEN_MOVES_S = 30.0
"""Until both nodes' smoothed loads show the last one: for some seconds its displays are on both."""
SETTLED_S = 600.0
"""A lesson that was moved stays for so long where it is, whatever the load is there."""


class Relief:
    """Remembers what was moved. `now`: in seconds, on a clock that is not set."""

    def __init__(self) -> None:
        self._moved: dict[str, float] = {}  # bridge -> when

    def next_move(self, nodes: Collection[Candidate], lessons: Collection[LessonLoad], now: float) -> Move | None:
        """What should be moved now, of these nodes and what they hold; it counts as moved from then on."""
        self._moved = {bridge: at for bridge, at in self._moved.items() if now - at < SETTLED_S}
        if any(now - at < BETWEEN_MOVES_S for at in self._moved.values()):
            return None
        move = relieving_move(nodes, [each for each in lessons if each.bridge not in self._moved])
        if move is not None:
            self._moved[move.bridge] = now
        return move


def lesson_loads(node: Node) -> Iterator[LessonLoad]:
    """What each bridge of a node costs it: by bits, in and out, which all lessons have of about the same kind."""
    bits = {id: _bits_per_s(state) for id, state in node.bridges.items()}
    whole = sum(bits.values())
    for id, state in node.bridges.items():
        if whole:  # else it is not lessons that it is busy with
            connections = sum(len({track.client for track in each.tracks}) for each in state.participants)
            connections += sum(len(each.subscriptions) for each in state.participants)
            yield LessonLoad(bridge=id, node=node.name, cpu=node.load.cpu * bits[id] / whole, connections=connections)


def _bits_per_s(state: BridgeState) -> int:
    received = sum(track.bitrate_bps for each in state.participants for track in each.tracks)
    return received + sum(to.sent_bps for each in state.participants for to in each.subscriptions)
