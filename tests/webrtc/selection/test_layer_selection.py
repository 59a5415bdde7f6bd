"""Which layer a slot aims at: by its tile, by the budget, by what comes."""

import pytest

from tests.webrtc.forwarding.test_layers import layer, video_slot
from tests.webrtc.wire import Vp8Sender, Wire, contents
from webrtc.forwarding.layers import ALIVE_S, Layer, Source
from webrtc.forwarding.slots import STILL_S, Slot
from webrtc.rtp.sequence_header import Size
from webrtc.selection.bitrate_allocation import Rest, Step
from webrtc.selection.layer_selection import LayerSelection
from webrtc.shared.ids import ClientId
from webrtc.shared.state import Flow, Role

HEIGHTS = {"q": 180, "h": 360, "f": 720}
RATES = {"q": 150_000, "h": 500_000, "f": 1_500_000}
PLENTY = 10_000_000


class Camera:
    """A source of three layers, one frame of each at a time."""

    def __init__(self, *rids: str) -> None:
        self.layers: dict[str, Layer] = {}
        self.senders: dict[str, Vp8Sender] = {}
        for ssrc, rid in enumerate(rids or HEIGHTS, start=1):
            self.layers[rid] = layer(rid)
            self.layers[rid].track.size = Size(HEIGHTS[rid] * 16 // 9, HEIGHTS[rid])
            self.layers[rid].track.steady_bps = RATES[rid]
            self.senders[rid] = Vp8Sender(ssrc=ssrc, picture=50 * ssrc)
        self.source = Source(client=ClientId("camera"), kind="video", layers=list(self.layers.values()))

    def send(self, now: float, *rids: str, key: bool = True) -> None:
        for rid in rids or self.layers:
            for packet in self.senders[rid].frame(key=key):
                self.layers[rid].forward(packet, now)

    def of(self, slot: Slot) -> str | None:
        """The layer that `slot` carries."""
        return next((rid for rid, each in self.layers.items() if slot.carrier is each), None)


def assigned(camera: Camera) -> tuple[LayerSelection, Slot, Wire]:
    wire = Wire()
    slot = video_slot(wire)
    selection = LayerSelection([slot])
    assert selection.assign({slot: camera.source})
    return selection, slot, wire


@pytest.mark.parametrize(
    ("height", "rid"), [(90, "q"), (180, "q"), (200, "q"), (240, "h"), (400, "h"), (480, "f"), (1080, "f"), (None, "f")]
)
def test_layer_is_the_smallest_that_fills_the_tile(height: int | None, rid: str) -> None:
    camera = Camera()
    selection, slot, _ = assigned(camera)
    if height is not None:
        selection.layout({"0": height})
    camera.send(1.0)
    selection.allocate(PLENTY, 1.0)
    camera.send(1.1)
    assert (camera.of(slot), slot.flow) == (rid, Flow.NONE)
    selection.allocate(PLENTY, 1.2)
    assert slot.flow is Flow.LIVE


@pytest.mark.parametrize(
    ("budget_bps", "rid", "still"),
    [(2_000_000, "f", False), (700_000, "h", False), (200_000, "q", False), (100_000, "q", True)],
)
def test_layer_is_as_large_as_the_link_takes(budget_bps: int, rid: str, still: bool) -> None:
    camera = Camera()
    selection, slot, _ = assigned(camera)
    camera.send(1.0)
    selection.allocate(budget_bps, 1.0)
    camera.send(1.1)
    assert (camera.of(slot), slot.still) == (rid, still)
    assert selection.allocation.wanted_bps >= 1_500_000


def test_narrow_link_shows_the_first_of_equals_wherever_they_sit() -> None:
    cameras = Camera("q"), Camera("q")
    wires = Wire(), Wire()
    slots = tuple(video_slot(wire, mid=str(i)) for i, wire in enumerate(wires))
    selection = LayerSelection(slots)
    ranked = {slots[1]: cameras[1].source, slots[0]: cameras[0].source}
    assert selection.assign(ranked)
    assert not selection.assign(ranked)
    selection.allocate(250_000, 1.0)
    assert selection.allocation.choices == {"1": Step(bps=150_000, layer=0), "0": Rest.STILL}
    assert selection.assign({slots[0]: cameras[0].source, slots[1]: cameras[1].source})


def test_hidden_slot_carries_nothing() -> None:
    camera = Camera()
    selection, slot, wire = assigned(camera)
    camera.send(1.0)
    selection.allocate(PLENTY, 1.0)
    camera.send(1.1)
    selection.layout({"0": 0})
    selection.allocate(PLENTY, 1.2)
    wire.take()
    camera.send(1.3)
    assert (wire.packets, slot.flow, camera.of(slot)) == ([], Flow.PAUSED, None)


def test_starving_link_gets_a_still_every_few_seconds() -> None:
    camera = Camera("q")
    selection, slot, wire = assigned(camera)
    times = []
    for i in range(100):
        now = 1.0 + i / 10
        selection.allocate(30_000, now)
        camera.send(now, key=camera.layers["q"].track.keyframe_due(now))
        times += [round(now, 1)] * len(wire.take())
    assert slot.flow is Flow.STILL
    assert len(times) >= 3
    assert all(b - a >= STILL_S for a, b in zip(times, times[1:], strict=False))


def test_stills_of_several_are_asked_for_together() -> None:
    camera = Camera("q")
    viewers = [assigned(camera) for _ in range(6)]
    keyframes: list[float] = []
    for i in range(300):
        now = 1.0 + i / 10
        selection, _, _ = viewers[i % 6]
        selection.allocate(30_000, now)
        if camera.layers["q"].track.keyframe_due(now):
            keyframes.append(now)
        camera.send(now, key=now in keyframes)
    assert [len(wire.take()) for _, _, wire in viewers] == [len(keyframes) - 1] * 6  # the first is of who came first
    assert len(keyframes) <= 30 / STILL_S + 1


def test_larger_layer_gives_way_at_once_when_the_link_takes_less() -> None:
    camera = Camera()
    selection, slot, _ = assigned(camera)
    for now in (1.0, 1.1):
        camera.send(now)
        selection.allocate(PLENTY, now)
    selection.allocate(700_000, 2.0)
    assert (camera.of(slot), slot.base_only) == ("f", True)
    camera.send(2.1)
    assert (camera.of(slot), slot.base_only) == ("h", False)
    selection.allocate(30_000, 3.0)
    assert (camera.of(slot), slot.base_only, slot.flow) == ("h", True, Flow.STILL)
    camera.send(3.1)
    assert (camera.of(slot), slot.base_only, slot.still) == ("q", False, True)


def test_stopped_layer_is_left_for_one_that_comes() -> None:
    camera = Camera()
    selection, slot, _ = assigned(camera)
    for now in (1.0, 1.1):
        camera.send(now)
        selection.allocate(PLENTY, now)
    camera.send(1.2)
    assert camera.of(slot) == "f"
    later = 1.2 + ALIVE_S + 0.1
    camera.send(later, "q", "h")
    assert selection.starved()
    selection.allocate(PLENTY, later)
    camera.send(later + 0.1, "q", "h")
    assert (camera.of(slot), selection.starved()) == ("h", False)


def test_pause_of_all_layers_changes_nothing() -> None:
    camera = Camera()
    selection, slot, _ = assigned(camera)
    for now in (1.0, 1.1):
        camera.send(now)
        selection.allocate(PLENTY, now)
    camera.send(1.2)
    selection.allocate(PLENTY, 5.0)
    assert (camera.of(slot), selection.starved()) == ("f", False)


def test_another_source_takes_over_at_its_keyframe_and_the_old_one_goes_on_until_then() -> None:
    one, two = Camera("q"), Camera("h")
    selection, slot, wire = assigned(one)
    one.send(1.0)
    selection.allocate(PLENTY, 1.0)
    one.send(1.1)
    selection.assign({slot: two.source})
    selection.allocate(PLENTY, 1.2)
    wire.take()
    one.send(1.3, key=False)
    two.send(1.3, key=False)
    two.send(1.4)
    one.send(1.5, key=False)
    assert [frame for frame, _ in contents(wire.packets)] == [52, 51]


def test_only_what_is_shown_is_asked_for_and_the_smallest_as_a_reserve() -> None:
    camera = Camera()
    selection, _, _ = assigned(camera)
    camera.send(1.0)
    selection.allocate(PLENTY, 1.0)
    assert {rid: each.wanted(1.1) for rid, each in camera.layers.items()} == {"q": True, "h": False, "f": True}
    selection.allocate(700_000, 2.0)
    selection.allocate(700_000, 2.1)
    assert {rid: each.wanted(9.9) for rid, each in camera.layers.items()} == {"q": True, "h": True, "f": True}


@pytest.mark.parametrize(
    ("trial_bps", "still", "tried_bps"), [(0, True, 0), (1_500_000, True, 0), (2_000_000, False, 1_725_000)]
)
def test_picture_of_one_layer_is_tried_beyond_the_budget(trial_bps: int, still: bool, tried_bps: int) -> None:
    camera = Camera("f")
    selection, slot, _ = assigned(camera)
    selection.allocate(1_000_000, 1.0, trial_bps=trial_bps)
    camera.send(1.1)
    assert (slot.carrier, slot.still) == (camera.layers["f"], still)
    assert selection.trial_bps == tried_bps
    selection.allocate(2_000_000, 1.2, trial_bps=trial_bps)
    assert selection.trial_bps == 0


def test_picture_that_can_do_with_less_is_not_tried() -> None:
    selection, _, _ = assigned(Camera())
    selection.allocate(100_000, 1.0, trial_bps=4_000_000)
    assert selection.trial_bps == 0


def test_others_keep_what_they_have_beside_a_picture_that_is_tried() -> None:
    stage, small, wire = Camera("f"), Camera("q"), Wire()
    slots = [video_slot(wire, mid="0"), video_slot(wire, mid="1")]
    slots[1].role = Role.THUMBNAIL
    selection = LayerSelection(slots)
    selection.assign({slots[0]: stage.source, slots[1]: small.source})
    selection.allocate(1_000_000, 1.0, trial_bps=4_000_000)
    stage.send(1.1)
    small.send(1.1)
    selection.allocate(1_000_000, 1.2, trial_bps=4_000_000)
    assert [slot.flow for slot in slots] == [Flow.LIVE, Flow.LIVE]
