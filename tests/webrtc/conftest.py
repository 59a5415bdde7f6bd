"""The engines that forward (a test that asks for `each_engine` runs on all that are installed), and a plane's clock."""

import pytest

from tests.webrtc.clock import Clock
from webrtc.forwarding import engines

CLOCKED = (
    *("bridge.bridge", "bridge.connection", "bridge.media_plane", "bridge.subscription"),
    *("transport.demux", "transport.ice"),
)


@pytest.fixture(params=sorted(engines.installed))
def each_engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Planes of this test forward by the engine of that name."""
    name: str = request.param
    monkeypatch.setattr(engines, "chosen", engines.installed[name])
    return name


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """What planes of this test take for the time."""
    clock = Clock()
    for module in CLOCKED:
        monkeypatch.setattr(f"webrtc.{module}.monotonic", clock)
    monkeypatch.setattr("webrtc.bridge.media_plane.TICK_S", 0.001)
    return clock
