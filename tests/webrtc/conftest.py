"""The engines that forward: a test that asks for `each_engine` runs on all that are installed."""

import pytest

from webrtc import engine


@pytest.fixture(params=sorted(engine.engines))
def each_engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Planes of this test forward by the engine of that name."""
    name: str = request.param
    monkeypatch.setattr("webrtc.engine.engine", name)
    return name
