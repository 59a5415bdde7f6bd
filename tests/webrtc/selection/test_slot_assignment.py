"""Which source each slot gets, and that none moves without need."""

from webrtc.forwarding.forward import Forwarder
from webrtc.forwarding.layers import Layer, Source
from webrtc.forwarding.outlet import Outlet
from webrtc.forwarding.slots import Formats, Slot
from webrtc.forwarding.track import SourceClock, Track
from webrtc.sdp.offer import Codec, Kind
from webrtc.selection.slot_assignment import RankedSources, assign_slots
from webrtc.shared.ids import ClientId, TrackId
from webrtc.shared.state import Role

CODECS = {
    "VP8": Codec(name="VP8", payload_type=96, clock_rate=90_000),
    "H264": Codec(name="H264", payload_type=97, clock_rate=90_000),
    "OPUS": Codec(name="OPUS", payload_type=111, clock_rate=48_000),
}


def source(codec: str) -> Source:
    kind: Kind = "audio" if codec == "OPUS" else "video"
    track = Track(id=TrackId(codec), kind=kind, ssrc=1, payload_types={1: CODECS[codec]}, clock=SourceClock())
    layer = Layer(track=track, send=Forwarder().send, ask=lambda track, now: None)
    return Source(client=ClientId("camera"), kind=kind, layers=[layer])


def slot(role: Role, *codecs: str) -> Slot:
    kind: Kind = "audio" if role is Role.VOICE else "video"
    formats = Formats(payload_types=dict.fromkeys(codecs, 1))
    return Slot(mid="", kind=kind, role=role, ssrc=1, rtx_ssrc=None, formats=formats, outlet=Outlet())


STAGE, SMALL, OTHER, VOICE = (
    slot(Role.STAGE, "VP8"),
    slot(Role.THUMBNAIL, "VP8"),
    slot(Role.THUMBNAIL, "VP8"),
    slot(Role.VOICE, "OPUS"),
)
A, B, C, D = (source("VP8") for _ in range(4))


def test_best_of_each_rank_sits_in_its_slots() -> None:
    voice, another = source("OPUS"), source("OPUS")
    ranks = RankedSources(stage=[B, A], thumbnails=[A, C, D], voices=[voice, another])
    assert assign_slots((STAGE, VOICE, SMALL, OTHER), {}, ranks) == {STAGE: B, SMALL: A, OTHER: C, VOICE: voice}


def test_thumbnails_keep_their_places_while_they_are_among_the_best() -> None:
    slots = (STAGE, SMALL, OTHER)
    held = {SMALL: C, OTHER: A}
    assert assign_slots(slots, held, RankedSources(stage=[B], thumbnails=[A, C, D])) == {
        STAGE: B,
        SMALL: C,
        OTHER: A,
    }
    assert assign_slots(slots, held, RankedSources(stage=[B], thumbnails=[D, A, C])) == {
        STAGE: B,
        SMALL: D,
        OTHER: A,
    }
    assert assign_slots(slots, held, RankedSources(stage=[A], thumbnails=[B, C])) == {STAGE: A, SMALL: C, OTHER: B}
    assert assign_slots(slots, held, RankedSources()) == {}


def test_assignment_is_in_the_order_of_the_ranks() -> None:
    slots = (STAGE, SMALL, OTHER)
    found = assign_slots(slots, {SMALL: C, OTHER: A}, RankedSources(stage=[B], thumbnails=[A, C, D]))
    assert list(found.items()) == [(STAGE, B), (OTHER, A), (SMALL, C)]


def test_slot_gets_only_what_its_subscriber_decodes() -> None:
    camera, phone = source("H264"), source("VP8")
    both = slot(Role.THUMBNAIL, "VP8", "H264")
    ranks = RankedSources(stage=[camera, phone], thumbnails=[camera, phone])
    assert assign_slots((STAGE, both), {}, ranks) == {STAGE: phone, both: camera}
