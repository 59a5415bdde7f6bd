"""How a live lesson is for a site, and why: from the bridge's report and the display's own to a word, a cause, a side.

Pure: reports and seconds of one monotonic clock go in. A picture of the moment (`judge_all`) is steadied (`Steady`), so
that the word on the teacher's page does not blink. A rule stands here with its reason; a limit is where people begin
to notice, not where the network is no longer perfect.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from controller.displays.report import DisplayReport, SendLimit
from webrtc.shared.ids import ParticipantId
from webrtc.shared.state import Flow, LinkState, ParticipantState, Role, TrackState


class Word(StrEnum):
    """How the lesson is for a site, in one word for the teacher."""

    GOOD = "good"
    WEAK = "weak"
    LOST = "lost"


class Cause(StrEnum):
    """Why it is not good. Uplink: from the site to the bridge."""

    NONE = "none"
    NOT_CONNECTED = "not_connected"  # nothing heard from the site, or it receives nothing
    SILENT = "silent"  # connected, and sends neither picture nor sound
    CAMERA = "camera"  # sends sound, and no picture
    MICROPHONE = "microphone"  # sends a picture, and no sound
    UPLINK_LOSS = "uplink_loss"
    UPLINK_SLOW = "uplink_slow"
    DOWNLINK_LOSS = "downlink_loss"
    DOWNLINK_SLOW = "downlink_slow"
    CPU = "cpu"  # its machine cannot encode or decode all of it
    ROUND_TRIP = "round_trip"
    JITTER = "jitter"
    NODE = "node"


class Side(StrEnum):
    """Where the cause is to be looked for."""

    NONE = "none"
    SITE = "site"
    BRIDGE = "bridge"
    OTHERS = "others"  # what the site receives comes badly from where it is sent


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteQuality:
    """What is said of a site: the word, and for all but good ones the cause and its side."""

    word: Word = Word.GOOD
    cause: Cause = Cause.NONE
    side: Side = Side.NONE


WEAK_LOSS = 0.05
"""Lost before repair. RED repeats each packet once, so that 5 % leave 0.25 % of the speech to guess; but then two of
five pictures of ten packets wait for a retransmission."""
FELT_LOSS = 0.02
"""Enough to be the cause where somebody sees the picture freeze or hears gaps."""
WEAK_ROUND_TRIP_MS = 400.0
"""Site to bridge and back. Two such sites are 400 ms from mouth to ear: the most that ITU-T G.114
allows for talking."""
WEAK_JITTER_MS = 80.0
"""As RFC 3550 6.4.1 smooths it: packets come up to some 240 ms late, which every receiver adds to the delay.
Of pictures it says little, since their packets come in bursts: downstream it only explains what is felt."""
FELT_FREEZES = 2
"""Within `FREEZES_S`: one alone happens when a slot changes."""
FREEZES_S = 10.0
FELT_CONCEALED = 0.05
"""Share of the sound that a decoder made up: words become unclear."""
SLOW_DOWN_BPS = 400_000
"""Three voices with RED (60 kbit/s each) and the lowest layer of the stage (150) with the allocation's margin of 15 %:
below it more than the thumbnails suffers, and the large picture is small and stays so."""
FEWEST_FRAMES_PER_S = 5.0
"""Of a camera. Fewer are a row of stills; dim light alone takes cameras to 7.5."""
NODE_CPU = 0.9
"""Of the core that a node has: packets wait."""
MANY = 3
"""As many rooms with the same trouble in more than two thirds of a lesson: it is not in each of them."""

ENTER_S = 3.0
ENTER_SLOW_S = 6.0
"""A browser needs some seconds after each join to find out what its uplink takes."""
LEAVE_S = 5.0
LEAVE_LOST_S = 1.0
"""A picture that is back is seen by everybody; "lost" beside it would be wrong."""
SETTLE_S = 5.0
"""From the first packet to a verdict, unless it is good before."""

SLOW = frozenset({Cause.UPLINK_SLOW, Cause.DOWNLINK_SLOW})
SENDING = frozenset(
    {
        *(Cause.NOT_CONNECTED, Cause.SILENT, Cause.CAMERA, Cause.MICROPHONE),
        *(Cause.UPLINK_LOSS, Cause.UPLINK_SLOW, Cause.DOWNLINK_SLOW, Cause.CPU),
    }
)
"""What the others suffer from, too. A full downlink is one: it delays the feedback that the uplink lives on."""
NETWORK = frozenset(
    {
        *(Cause.NOT_CONNECTED, Cause.UPLINK_LOSS, Cause.UPLINK_SLOW, Cause.DOWNLINK_LOSS, Cause.DOWNLINK_SLOW),
        *(Cause.ROUND_TRIP, Cause.JITTER),
    }
)
GOOD = SiteQuality()
NODE_LOST = SiteQuality(word=Word.LOST, cause=Cause.NODE, side=Side.BRIDGE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """A site's media at one moment. Losses are shares before repair, 0 to 1; None: not known.

    `held_back`: the browser sends only the lowest layer because its link takes no more. `lacks`: the link takes less
    than there is to be sent. `stills`: a picture comes as a still every few seconds. `sources`: whose pictures and
    sound it gets. `up_freezes`, `freezes`: counted since somewhen, of what it sends and what it shows.
    """

    link: LinkState
    receiving: bool
    picture: bool  # or it is not to be seen
    sound: bool  # or it is not to be heard
    up_bps: int = 0
    up_loss: float = 0.0
    up_jitter_ms: float = 0.0
    up_freezes: int = 0
    up_height: int = 0
    frames_per_s: float = 0.0
    held_back: bool = False
    down_bps: int = 0
    estimate_bps: int | None = None
    lacks: bool = False
    down_loss: float = 0.0
    down_jitter_ms: float = 0.0
    stills: bool = False
    stage_height: int = 0
    sources: frozenset[ParticipantId] = frozenset()
    round_trip_ms: float | None = None
    freezes: int = 0
    concealed: float = 0.0
    overloaded: bool = False
    camera_off: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Recent:
    """Freezes within the last `FREEZES_S`: of what a site sends, and of what it shows."""

    up_freezes: int = 0
    freezes: int = 0


def figures(
    participant: ParticipantState, report: DisplayReport | None, *, muted: bool = False, camera_off: bool = False
) -> Figures:
    """`report`: of the room's display, if it has said anything. `muted`, `camera_off`: as its school wants it."""
    flowing = [track for track in participant.tracks if track.flowing]
    sound = [track for track in flowing if track.kind == "audio"]
    camera = _cameras(flowing)
    subscriptions = [each for each in participant.subscriptions if each.connected]
    slots = [slot for each in subscriptions for slot in each.slots]
    trips = [participant.round_trip_ms, report.send_round_trip_ms if report else None]
    return Figures(
        link=participant.link,
        receiving=bool(subscriptions),
        picture=bool(camera) or camera_off,
        sound=bool(sound) or muted,
        up_bps=sum(track.bitrate_bps for track in flowing),
        up_loss=max(_loss(flowing), _loss(sound)),
        up_jitter_ms=max((track.jitter_ms for track in sound), default=0.0),
        up_freezes=next((track.freezes for track in _cameras(participant.tracks)), 0),  # higher layers come and go
        up_height=max((track.height for track in camera), default=0),
        frames_per_s=max((track.frames_per_s for track in camera), default=0.0),
        held_back=report is not None and report.limited is SendLimit.BANDWIDTH and _lowest_only(participant.tracks),
        down_bps=sum(each.sent_bps for each in subscriptions),
        estimate_bps=min((each.estimate_bps for each in subscriptions if each.estimate_bps is not None), default=None),
        down_loss=max((each.loss for each in subscriptions), default=0.0),
        down_jitter_ms=max((each.jitter_ms for each in subscriptions), default=0.0),
        lacks=any(each.estimate_bps is not None and each.estimate_bps < each.wanted_bps for each in subscriptions),
        stills=any(slot.flow is Flow.STILL for slot in slots),
        stage_height=max((slot.height for slot in slots if slot.role is Role.STAGE), default=0),
        sources=frozenset(slot.source for slot in slots if slot.source is not None),
        round_trip_ms=max((trip for trip in trips if trip is not None), default=None),
        freezes=report.freezes if report else 0,
        concealed=report.concealed if report else 0.0,
        overloaded=report is not None and (report.cpu_slow or report.limited is SendLimit.CPU),
        camera_off=camera_off,
    )


def _loss(tracks: Sequence[TrackState]) -> float:
    """Over all of them, each by its share of the bits."""
    bits = sum(track.bitrate_bps for track in tracks)
    return sum(track.loss * track.bitrate_bps for track in tracks) / bits if bits else 0.0


def _cameras(tracks: Sequence[TrackState]) -> list[TrackState]:
    """Their layers; of each camera the smallest is first, and its sender never stops that one."""
    return [track for track in tracks if track.kind == "video" and track.content != "slides"]


def _lowest_only(tracks: Sequence[TrackState]) -> bool:
    """Whether of the camera's layers only the lowest comes, unless nobody would be sent a higher one."""
    cameras = _cameras(tracks)
    higher = [track for track in cameras if track.client == cameras[0].client][1:]
    return not any(track.flowing for track in higher) and (not higher or any(track.wanted for track in higher))


def judge(seen: Figures | None, recent: Recent) -> SiteQuality:
    """What a site's own figures say now. What keeps the lesson from it comes first, then what hurts most."""
    match seen:
        case None:
            return _site(Word.LOST, Cause.NOT_CONNECTED)
        case Figures(link=LinkState.LOST):
            return _site(Word.LOST, Cause.NOT_CONNECTED)
        case Figures(picture=False, sound=False):
            return _site(Word.LOST, Cause.SILENT)
        case Figures(picture=False):
            return _site(Word.LOST, Cause.CAMERA)
        case Figures(sound=False):
            return _site(Word.LOST, Cause.MICROPHONE)
    cause = _weakness(seen, recent)
    return GOOD if cause is Cause.NONE else _site(Word.WEAK, cause)


def _weakness(seen: Figures, recent: Recent) -> Cause:
    felt = _felt(seen, recent)
    up_stalls = recent.up_freezes >= FELT_FREEZES
    if seen.link is LinkState.WEAK or not seen.receiving:
        return Cause.NOT_CONNECTED
    if seen.up_loss > (FELT_LOSS if up_stalls else WEAK_LOSS):
        return Cause.UPLINK_LOSS
    if seen.down_loss > (FELT_LOSS if felt else WEAK_LOSS):
        return Cause.DOWNLINK_LOSS
    if seen.overloaded:
        return Cause.CPU
    up_slow = not seen.camera_off and (seen.held_back or up_stalls or seen.frames_per_s < FEWEST_FRAMES_PER_S)
    takes_bps = seen.estimate_bps if seen.estimate_bps is not None and seen.lacks else SLOW_DOWN_BPS
    down_slow = seen.stills or takes_bps < SLOW_DOWN_BPS
    if down_slow and not (up_slow and seen.up_bps <= takes_bps):
        return Cause.DOWNLINK_SLOW  # each makes the other slow, see `SENDING`; the lower rate is the cause
    if up_slow:
        return Cause.UPLINK_SLOW
    if seen.round_trip_ms is not None and seen.round_trip_ms > WEAK_ROUND_TRIP_MS:
        return Cause.ROUND_TRIP
    if seen.up_jitter_ms > WEAK_JITTER_MS or (felt and seen.down_jitter_ms > WEAK_JITTER_MS):
        return Cause.JITTER
    return Cause.NONE


def _felt(seen: Figures, recent: Recent) -> bool:
    """Whether people in the room see or hear that something is missing."""
    return recent.freezes >= FELT_FREEZES or seen.concealed > FELT_CONCEALED


def _site(word: Word, cause: Cause) -> SiteQuality:
    return SiteQuality(word=word, cause=cause, side=Side.SITE)


Observed = Mapping[ParticipantId, tuple[Figures | None, Recent]]


def judge_all(rooms: Observed, *, node_cpu: float) -> Mapping[ParticipantId, SiteQuality]:
    """Each room of a lesson by its own figures, and then by what only all of them together tell.

    `node_cpu`: share of the core that the bridge's node uses. A room that feels gaps and has none itself suffers from
    whom it sees and hears, or from the node. Trouble that most rooms of a large lesson share is the bridge's.
    """
    own = {id: judge(*each) for id, each in rooms.items()}
    found = {}
    for id, (seen, recent) in rooms.items():
        found[id] = own[id]
        if own[id] == GOOD and seen is not None and _felt(seen, recent):
            found[id] = _from_elsewhere(seen, own, node_cpu)
    causes = [each.cause for each in own.values() if each.cause in NETWORK]
    common = max(causes, key=causes.count, default=Cause.NONE)
    if causes.count(common) >= MANY and 3 * causes.count(common) > 2 * len(rooms):
        for id, each in own.items():
            if each.cause is common:
                found[id] = SiteQuality(word=each.word, cause=Cause.NODE, side=Side.BRIDGE)
    return found


def _from_elsewhere(seen: Figures, own: Mapping[ParticipantId, SiteQuality], node_cpu: float) -> SiteQuality:
    for id, each in own.items():
        if id in seen.sources and each.cause in SENDING:
            return SiteQuality(word=Word.WEAK, cause=each.cause, side=Side.OTHERS)
    if node_cpu > NODE_CPU:
        return SiteQuality(word=Word.WEAK, cause=Cause.NODE, side=Side.BRIDGE)
    return _site(Word.WEAK, Cause.JITTER)  # nothing lost, and still gaps: it came too late


class Freezes:
    """Counts what happened within the last `FREEZES_S` from counters that only rise, or begin anew."""

    def __init__(self) -> None:
        self._seen: tuple[int, int] | None = None
        self._rises: deque[tuple[float, int, int]] = deque(maxlen=64)

    def take(self, seen: Figures | None, now: float) -> Recent:
        if seen is not None:
            up_before, before = self._seen or (seen.up_freezes, seen.freezes)
            self._seen = seen.up_freezes, seen.freezes
            up, own = max(0, seen.up_freezes - up_before), max(0, seen.freezes - before)
            if up or own:
                self._rises.append((now, up, own))
        while self._rises and self._rises[0][0] <= now - FREEZES_S:
            self._rises.popleft()
        return Recent(up_freezes=sum(up for _, up, _ in self._rises), freezes=sum(own for *_, own in self._rises))


_GRAVITY = {Word.GOOD: 0, Word.WEAK: 1, Word.LOST: 2}


class Steady:
    """Says a quality once it has lasted: worse after `ENTER_S`, better after `LEAVE_S`."""

    def __init__(self, now: float) -> None:
        self.shown: SiteQuality | None = None
        self._began = now
        self._worse_since: float | None = None
        self._other_since: float | None = None  # another cause, or better
        self._worst = GOOD  # since then

    def take(self, seen: SiteQuality, now: float) -> SiteQuality | None:
        """What to say now; None before the first verdict."""
        shown = self.shown
        if shown is None:
            if seen.word is Word.GOOD or now - self._began >= SETTLE_S:
                self._say(seen)
            return self.shown
        worse = _GRAVITY[seen.word] > _GRAVITY[shown.word]
        self._worse_since = (now if self._worse_since is None else self._worse_since) if worse else None
        if self._worse_since is not None:
            self._other_since = None
            if now - self._worse_since >= (ENTER_SLOW_S if seen.cause in SLOW else ENTER_S):
                self._say(seen)
        elif seen == shown:
            self._other_since = None
        else:
            if self._other_since is None:
                self._other_since, self._worst = now, seen
            elif _GRAVITY[seen.word] >= _GRAVITY[self._worst.word]:
                self._worst = seen
            if now - self._other_since >= (
                LEAVE_LOST_S if self._worst.word is not Word.LOST and shown.word is Word.LOST else LEAVE_S
            ):
                self._say(self._worst)
        return self.shown

    def _say(self, seen: SiteQuality) -> None:
        self.shown = seen
        self._worse_since = self._other_since = None
