"""A participant of a bridge: a room with its displays, or a viewer. What it publishes and what it watches."""

from collections.abc import Iterable, Mapping, Sequence

from webrtc.bridge.connection import Connection
from webrtc.bridge.publication import Publication
from webrtc.bridge.subscription import Subscription
from webrtc.forwarding.layers import Source
from webrtc.selection.ranking import Offering
from webrtc.shared.ids import ClientId, ParticipantId, TrackId
from webrtc.shared.state import LinkState, ParticipantState

_WORST_FIRST = (LinkState.LOST, LinkState.WEAK, LinkState.GOOD)


class Participant:
    """`publications`, `subscriptions`: by client, the newest of each."""

    def __init__(self, id: ParticipantId) -> None:
        self.id = id
        self.publications: dict[ClientId, Publication] = {}
        self.subscriptions: dict[ClientId, Subscription] = {}

    @property
    def connections(self) -> Iterable[Connection]:
        return [*self.publications.values(), *self.subscriptions.values()]

    @property
    def sources(self) -> Iterable[Source]:
        return [source for publication in self.publications.values() for source in publication.sources]

    def pictures(self, now: float) -> Sequence[Source]:
        """Its cameras, the first one being its picture; those from which nothing comes are last."""
        cameras = [source for source in self.sources if source.is_camera]
        return sorted(cameras, key=lambda source: not source.flows(now))

    def slides(self, now: float) -> Source | None:
        """Its shared screen, of several the newest; none of a machine whose connection is lost."""
        connected = [each for each in self.publications.values() if each.link_state(now) is not LinkState.LOST]
        return next((source for each in reversed(connected) for source in each.sources if source.slides), None)

    def voice(self, now: float) -> Source | None:
        """Its sound: one microphone at a time, as two in a room would make an echo of each other."""
        voices = [source for source in self.sources if source.is_voice]
        return next((source for source in voices if source.flows(now)), voices[0] if voices else None)

    def offering(self, now: float) -> Offering:
        return Offering(
            picture=any(self._shows(publication, now) for publication in self.publications.values()),
            slides=self.slides(now) is not None,
            voice=self.voice(now) is not None,
        )

    @staticmethod
    def _shows(publication: Publication, now: float) -> bool:
        """Whether it has a camera. One from which nothing comes while something else does counts as unplugged."""
        dark = not any(source.flows(now) for source in publication.sources)
        return any(source.is_camera and (dark or not source.gone(now)) for source in publication.sources)

    def state(self, now: float, owners: Mapping[TrackId, ParticipantId], *, speaking: bool) -> ParticipantState:
        """`owners`: the participant of each track."""
        return ParticipantState(
            id=self.id,
            link=self.link_state(now),
            round_trip_ms=self.round_trip_ms(),
            speaking=speaking,
            tracks=tuple(state for each in self.publications.values() for state in each.track_states(now)),
            subscriptions=tuple(each.state(owners) for each in self.subscriptions.values()),
        )

    def link_state(self, now: float) -> LinkState:
        """The state of its best client that both sends and plays; where none does, of its worst connection.

        A connection that only shares a screen, maybe from another machine, counts where there is no other.
        """
        screens = {client for client, each in self.publications.items() if each.is_screen}
        all_of_it = (self.publications.keys() - screens) & self.subscriptions.keys()
        if all_of_it:
            return max((self._worst([client], now) for client in all_of_it), key=_WORST_FIRST.index)
        clients = self.publications.keys() | self.subscriptions.keys()
        return self._worst(clients - screens or screens, now)

    def _worst(self, clients: Iterable[ClientId], now: float) -> LinkState:
        both = [each.get(client) for client in clients for each in (self.publications, self.subscriptions)]
        links = {each.link_state(now) for each in both if each is not None}
        return next((link for link in _WORST_FIRST if link in links), LinkState.LOST)

    def round_trip_ms(self) -> float | None:
        """The longest of its subscriptions'."""
        times = [each.round_trip_s for each in self.subscriptions.values() if each.round_trip_s is not None]
        return round(max(times) * 1000, 1) if times else None
