"""Firefox and Chromium in one lesson: each sees and hears the other, in the layers that its tiles need."""

import asyncio

from controller.nodes.local import own_addresses
from testing.chromium import chromium
from testing.firefox import firefox
from testing.webrtc.browsers import rooms
from testing.webrtc.nodes import node_here

SMALL = {"width": 640, "height": 360}


async def test_firefox_and_chromium_share_a_lesson() -> None:
    async with (
        asyncio.timeout(120),
        node_here(own_addresses("0.0.0.0")[0]) as node,  # Firefox goes nowhere on loopback
        firefox() as fox,
        chromium("--force-fieldtrials=WebRTC-LegacySimulcastLayerLimit/Disabled/") as chrome,
        rooms(fox, node, "lesson", "fox") as (one,),
        rooms(chrome, node, "lesson", "chrome") as (other,),
    ):
        await node.open_bridge("lesson", ["fox", "chrome"])
        assert "a=simulcast:recv" in await one.publish(**SMALL, real=True)
        await other.publish(**SMALL)
        await one.play()
        await other.play()
        for room in (one, other):
            await room.until("Object.values(video)[0]?.framesDecoded > 20", timeout_s=40)
            await room.until("Object.values(audio)[0]?.packetsReceived > 50")
        for height, seen in ((90, "< 200"), (480, "> 300"), (90, "< 200")):
            for room in (one, other):
                await room.layout({"0": height})
                await room.until(f"Object.values(video)[0].frameHeight {seen}", timeout_s=40)
