"""The media plane of one live lesson: its participants, and who gets whose pictures and sound."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from time import monotonic

from webrtc.bridge.connection import Connection
from webrtc.bridge.participant import Participant
from webrtc.bridge.publication import Publication
from webrtc.bridge.subscription import Subscription
from webrtc.errors import BridgeFull
from webrtc.forwarding.layers import Source
from webrtc.selection.active_speaker import Speakers, Speech
from webrtc.selection.ranking import Offering, eligible, permitted, rank
from webrtc.selection.slot_assignment import RankedSources, assign_slots
from webrtc.shared.ids import BridgeId, ClientId, ParticipantId
from webrtc.shared.policy import Policy
from webrtc.shared.state import BridgeState

MAX_CONNECTIONS = 256  # of one bridge: 21 rooms with two each, and 200 who watch


class Bridge:
    """`policy`: who takes part, in which order, and who may be seen large and heard.

    `changed`: called when participants, what flows, or who gets what has changed.
    """

    def __init__(self, id: BridgeId, policy: Policy, changed: Callable[[BridgeId], None]) -> None:
        self.id = id
        self.policy = policy
        self.participants: dict[ParticipantId, Participant] = {}
        self.speakers = Speakers()
        self._changed = changed
        self._speech = Speech()
        # Those that replace an older one once they have connected.
        self._waiting: dict[tuple[ParticipantId, ClientId, bool], Connection] = {}
        self.speakers.restrict(eligible(policy))

    def follow(self, policy: Policy) -> None:
        for silent in set(policy.muted) - set(self.policy.muted):
            self.speakers.leave(silent)  # its speech of before no longer makes it large
        self.policy = policy
        self.speakers.restrict(eligible(policy))
        self.arrange()

    @property
    def connections(self) -> list[Connection]:
        taken = [each for participant in self.participants.values() for each in participant.connections]
        return taken + list(self._waiting.values())

    def add(self, connection: Connection) -> Connection | None:
        """Take `connection` in; the older one that it replaces, which the caller has to close. Raises `BridgeFull`.

        A connection that works is replaced only once the newer one has connected: an offer may come late, from before
        the end of a blackout.
        """
        participant = self.participants.get(connection.participant)
        older = _among(participant, connection).get(connection.client) if participant is not None else None
        if older is None and self._places >= MAX_CONNECTIONS:  # whoever comes back has a place
            raise BridgeFull(f"bridge {self.id} has {MAX_CONNECTIONS} connections")
        if older is not None and older.connected:
            replaced, self._waiting[_place(connection)] = self._waiting.get(_place(connection)), connection
            return replaced
        self._take(connection)
        self.arrange()
        return older

    @property
    def _places(self) -> int:
        return sum(1 for participant in self.participants.values() for _ in participant.connections)

    def _take(self, connection: Connection) -> Connection | None:
        """Give `connection` its place; the one that had it."""
        participant = self.participants.setdefault(connection.participant, Participant(connection.participant))
        older = _among(participant, connection).get(connection.client)
        if isinstance(connection, Publication):
            connection.on_audio_level = partial(self._add_level, connection.participant)
            participant.publications[connection.client] = connection
        elif isinstance(connection, Subscription):
            participant.subscriptions[connection.client] = connection
        self._release(older)
        return older

    def _add_level(self, participant: ParticipantId, level: int, voice: bool | None, now: float) -> None:
        if participant not in self.policy.muted:
            self.speakers.add_level(participant, level, voice, now)

    def remove(self, connection: Connection) -> None:
        """Take `connection` out; nothing if it was replaced before."""
        if self._waiting.get(_place(connection)) is connection:
            del self._waiting[_place(connection)]
            return
        participant = self.participants.get(connection.participant)
        if participant is None or _among(participant, connection).get(connection.client) is not connection:
            return
        if isinstance(connection, Publication):
            del participant.publications[connection.client]
            if not participant.publications:
                self.speakers.leave(participant.id)
        else:
            del participant.subscriptions[connection.client]
        self._release(connection)
        if not participant.connections:
            del self.participants[participant.id]
        self.arrange()

    def tick(self, now: float) -> None:
        if self.speakers.tick(now):
            if self.speakers.speech != self._speech:
                self.arrange()
            else:
                self._changed(self.id)

    def arrange(self) -> None:
        """Decide again who gets whose pictures and sound."""
        for connection in [each for each in self._waiting.values() if each.connected]:
            del self._waiting[_place(connection)]
            older = self._take(connection)
            if older is not None:
                older.end()
        now = monotonic()
        ordered = self._ordered()
        publishing = [participant for participant in ordered if participant.publications]
        offerings = {each.id: permitted(each.offering(now), self.policy, each.id) for each in publishing}
        pictures = {each.id: () if each.id in self.policy.dark else each.pictures(now) for each in publishing}
        self._speech = self.speakers.speech
        watching: RankedSources | None = None  # for all who publish nothing
        for participant in ordered:
            if participant.subscriptions:
                if participant.publications or watching is None:
                    ranks = self._ranks(participant, pictures, offerings, now)
                if not participant.publications:
                    ranks = watching = watching or ranks
                mirrored = participant.slides(now)
                for client, subscription in participant.subscriptions.items():
                    if subscription.connected:
                        # The machine that shares the screen must not show it: the picture would contain itself.
                        own = mirrored is not None and not mirrored.client.startswith(f"{client}-")
                        theirs = self._ranks(participant, pictures, offerings, now, own_slides=True) if own else ranks
                        assigned = subscription.selection.sources
                        subscription.assign(assign_slots(subscription.slots, assigned, theirs), now)
        self._changed(self.id)

    def state(self) -> BridgeState:
        now = monotonic()
        owners = {
            layer.track.id: participant.id
            for participant in self.participants.values()
            for source in participant.sources
            for layer in source.layers
        }
        return BridgeState(
            id=self.id,
            participants=tuple(
                participant.state(now, owners, speaking=self.speakers.speaking(participant.id))
                for participant in self._ordered()
            ),
            mode=self.policy.mode,
            floor=self.policy.floor,
            dominant=self.speakers.dominant,
        )

    def _ranks(
        self,
        viewer: Participant,
        pictures: Mapping[ParticipantId, Sequence[Source]],
        offerings: Mapping[ParticipantId, Offering],
        now: float,
        *,
        own_slides: bool = False,
    ) -> RankedSources:
        """The sources that `viewer` may get: the first camera of each participant, then the further ones."""
        roles = rank(
            viewer=viewer.id,
            present=list(pictures),
            offerings=offerings,
            policy=self.policy,
            speech=self._speech,
            own_slides=own_slides,
        )
        slides = self.participants[roles.slides].slides(now) if roles.slides is not None else None
        further = [source for id, each in pictures.items() if id != viewer.id for source in each[1:]]
        return RankedSources(
            stage=[slides] if slides is not None else [pictures[each][0] for each in roles.stage],
            thumbnails=[*(pictures[each][0] for each in roles.thumbnails), *further],
            voices=[voice for each in roles.voices if (voice := self.participants[each].voice(now)) is not None],
        )

    def _ordered(self) -> list[Participant]:
        """The participants of the policy first, then the others as they joined."""
        first = [self.participants[id] for id in self.policy.order if id in self.participants]
        return first + [each for each in self.participants.values() if each.id not in self.policy.order]

    def _release(self, connection: Connection | None) -> None:
        """Let go of the slots of a connection that has left."""
        if isinstance(connection, Subscription):
            connection.assign({}, monotonic())


def _place(connection: Connection) -> tuple[ParticipantId, ClientId, bool]:
    return connection.participant, connection.client, connection.sending


def _among(participant: Participant, connection: Connection) -> Mapping[ClientId, Connection]:
    """The participant's connections of the same direction."""
    return participant.subscriptions if connection.sending else participant.publications
