"""The rules of the media plane load without what does I/O: the event loop, aiortc, an HTTP server."""

import subprocess
import sys

RULES = (
    *("webrtc.rtp.rtcp", "webrtc.rtp.payload", "webrtc.sdp.answer", "webrtc.sdp.fragment"),
    *("webrtc.estimation.estimate", "webrtc.forwarding.layers", "webrtc.forwarding.slots", "webrtc.forwarding.track"),
    *("webrtc.selection.layer_selection", "webrtc.selection.active_speaker", "webrtc.selection.slot_assignment"),
)
LOADED = f"""
import sys
import {", ".join(RULES)}
print(sorted({{"asyncio", "aiohttp", "aioice", "aiortc"}} & set(sys.modules)))
"""


def test_rules_load_nothing_that_does_io() -> None:
    found = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
