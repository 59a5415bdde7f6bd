"""A participant of a bridge: a room with its displays, or a viewer. What it publishes and what it watches."""

from collections.abc import Iterable, Mapping

from webrtc.connection import Connection
from webrtc.forward import Fanout
from webrtc.ids import ClientId, ParticipantId
from webrtc.publication import Publication
from webrtc.state import Link, ParticipantState
from webrtc.subscription import Subscription
from webrtc.track import Track

_WORST_FIRST = (Link.LOST, Link.WEAK, Link.GOOD)


class Participant:
    """Its connections by client: one publication and one subscription each, the newest."""

    def __init__(self, id: ParticipantId) -> None:
        self.id = id
        self.publications: dict[ClientId, Publication] = {}
        self.subscriptions: dict[ClientId, Subscription] = {}

    @property
    def connections(self) -> Iterable[Connection]:
        return [*self.publications.values(), *self.subscriptions.values()]

    @property
    def fanouts(self) -> Iterable[Fanout]:
        return [fanout for publication in self.publications.values() for fanout in publication.fanouts]

    def state(self, now: float, owners: Mapping[Track, ParticipantId]) -> ParticipantState:
        """`owners`: whose each track is."""
        return ParticipantState(
            id=self.id,
            link=self.link(now),
            round_trip_ms=self.round_trip_ms(),
            speaking=False,
            tracks=tuple(state for each in self.publications.values() for state in each.track_states(now)),
            subscriptions=tuple(each.state(owners) for each in self.subscriptions.values()),
        )

    def link(self, now: float) -> Link:
        """As good as its worst connection."""
        links = {connection.link(now) for connection in self.connections}
        return next((link for link in _WORST_FIRST if link in links), Link.LOST)

    def round_trip_ms(self) -> float | None:
        """The longest of its subscriptions'."""
        times = [each.round_trip_s for each in self.subscriptions.values() if each.round_trip_s is not None]
        return round(max(times) * 1000, 1) if times else None
