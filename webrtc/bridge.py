"""The media plane of one live lesson: who is in it, and who plays whom."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from time import monotonic

from webrtc.connection import Connection
from webrtc.errors import BridgeFull
from webrtc.forward import Fanout
from webrtc.ids import BridgeId, ClientId, ParticipantId
from webrtc.participant import Participant
from webrtc.policy import Policy
from webrtc.publication import Publication
from webrtc.slots import Slot
from webrtc.state import BridgeState
from webrtc.subscription import Subscription

MAX_CONNECTIONS = 128  # of one bridge


class Bridge:
    """`policy`: who takes part, in which order, and who may be seen large and heard.

    `changed`: called when who is here, what flows or who plays whom has changed.
    """

    def __init__(self, id: BridgeId, policy: Policy, changed: Callable[[BridgeId], None]) -> None:
        self.id = id
        self.policy = policy
        self.participants: dict[ParticipantId, Participant] = {}
        self._changed = changed

    def follow(self, policy: Policy) -> None:
        self.policy = policy
        self.arrange()

    @property
    def connections(self) -> list[Connection]:
        return [each for participant in self.participants.values() for each in participant.connections]

    def add(self, connection: Connection) -> Connection | None:
        """Take `connection` in; the older one that it replaces, now out, is to be closed. Raises `BridgeFull`."""
        if len(self.connections) >= MAX_CONNECTIONS:
            raise BridgeFull(f"bridge {self.id} has {MAX_CONNECTIONS} connections")
        participant = self.participants.setdefault(connection.participant, Participant(connection.participant))
        older = _among(participant, connection).get(connection.client)
        if isinstance(connection, Publication):
            participant.publications[connection.client] = connection
        elif isinstance(connection, Subscription):
            participant.subscriptions[connection.client] = connection
        self._release(older)
        self.arrange()
        return older

    def remove(self, connection: Connection) -> None:
        """Take `connection` out; nothing if it was replaced before."""
        participant = self.participants.get(connection.participant)
        if participant is None or _among(participant, connection).get(connection.client) is not connection:
            return
        if isinstance(connection, Publication):
            del participant.publications[connection.client]
        else:
            del participant.subscriptions[connection.client]
        self._release(connection)
        if not participant.connections:
            del self.participants[participant.id]
        self.arrange()

    def tick(self, now: float) -> None:
        for connection in self.connections:
            connection.tick(now)

    def arrange(self) -> None:
        """Decide anew who plays whom."""
        now = monotonic()
        ordered = self._ordered()
        for participant in ordered:
            others = _sources(other for other in ordered if other is not participant)
            for subscription in participant.subscriptions.values():
                if subscription.connected:
                    subscription.assign(choose(subscription.slots, subscription.assigned, others), now)
        self._changed(self.id)

    def state(self) -> BridgeState:
        now = monotonic()
        owners = {
            fanout.track: participant.id for participant in self.participants.values() for fanout in participant.fanouts
        }
        return BridgeState(
            id=self.id,
            participants=tuple(participant.state(now, owners) for participant in self._ordered()),
            mode=self.policy.mode,
            floor=self.policy.floor,
        )

    def _ordered(self) -> list[Participant]:
        """Those of the policy first, then as they joined."""
        first = [self.participants[id] for id in self.policy.order if id in self.participants]
        return first + [each for each in self.participants.values() if each.id not in self.policy.order]

    def _release(self, connection: Connection | None) -> None:
        """Let go of the slots of a connection that is out."""
        if isinstance(connection, Subscription):
            connection.assign({}, monotonic())


def choose(slots: Sequence[Slot], assigned: Mapping[Slot, Fanout], sources: Sequence[Fanout]) -> Mapping[Slot, Fanout]:
    """Which of `sources`, the most wanted first, each slot carries.

    Sticky: a slot keeps its source while there is one, so that nobody's picture jumps; free slots take the next.
    """
    chosen = {slot: fanout for slot, fanout in assigned.items() if fanout in sources}
    taken = set(chosen.values())
    for slot in slots:
        if slot not in chosen:
            fanout = next((each for each in sources if each not in taken and slot.takes(each.track)), None)
            if fanout is not None:
                chosen[slot] = fanout
                taken.add(fanout)
    return chosen


def _sources(participants: Iterable[Participant]) -> list[Fanout]:
    """Everybody's first track of a kind before anybody's second."""
    ranked: list[tuple[int, Fanout]] = []
    for participant in participants:
        seen: dict[str, int] = {}
        for fanout in participant.fanouts:
            seen[fanout.track.kind] = seen.get(fanout.track.kind, -1) + 1
            ranked.append((seen[fanout.track.kind], fanout))
    return [fanout for _, fanout in sorted(ranked, key=lambda each: each[0])]


def _among(participant: Participant, connection: Connection) -> Mapping[ClientId, Connection]:
    """The participant's connections of the same direction."""
    return participant.subscriptions if connection.sending else participant.publications
