"""No number of a slot is ever used twice, whatever comes in and whatever is chosen: SRTP would break (RFC 7714 8.1)."""

import random

import pytest

from tests.webrtc.forwarding.test_layers import video_slot
from tests.webrtc.selection.test_layer_selection import Camera
from tests.webrtc.wire import Wire
from webrtc.forwarding.forward import Forwarder
from webrtc.forwarding.layers import Layer
from webrtc.rtp.packet import HEADER
from webrtc.selection.layer_selection import LayerSelection

STEPS = 3000


@pytest.mark.parametrize("seed", range(8))
def test_no_number_is_used_twice(seed: int) -> None:
    chance = random.Random(seed)
    wire = Wire(transport_cc=3)
    slot = video_slot(wire)
    selection = LayerSelection([slot])
    cameras = [Camera(), Camera()]
    for camera in cameras:
        for sender in camera.senders.values():
            sender.flat = chance.random() < 0.3
    forwarder, now = Forwarder(), 0.0
    held: list[tuple[Layer, bytes]] = []
    for step in range(STEPS):
        now += chance.choice((0.0, 0.01, 0.03, 0.3))
        camera = chance.choice(cameras)
        for rid in chance.sample(sorted(camera.layers), chance.randint(1, 3)):
            for packet in camera.senders[rid].frame(key=chance.random() < 0.1, parts=chance.randint(1, 3)):
                fate = chance.random()
                if fate < 0.08:
                    held.append((camera.layers[rid], packet))  # late, perhaps twice
                elif fate > 0.03:
                    camera.layers[rid].forward(packet, now)
        while held and chance.random() < 0.3:
            late, packet = held.pop(chance.randrange(len(held)))
            late.forward(packet, now)
            if chance.random() < 0.3:
                late.forward(packet, now)
        if step % 20 == 0:
            selection.assign({slot: chance.choice(cameras).source} if chance.random() < 0.9 else {})
            selection.layout({"0": chance.choice((0, 90, 180, 360, 720))})
        if step % 5 == 0:
            selection.allocate(chance.choice((20_000, 60_000, 100_000, 200_000, 700_000, 5_000_000)), now)
        if wire.packets and chance.random() < 0.3:
            asked = HEADER.unpack_from(chance.choice(wire.packets))[2]
            if (found := slot.find(asked, now)) is not None:
                forwarder.repeat(slot, *found, now)
        if chance.random() < 0.1:
            forwarder.pad(slot, now)
        assert wire.outlet.dropped == 0
    assert wire.repeated == 0
    assert len(wire.packets) > STEPS // 10
