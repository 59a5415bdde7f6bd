"""What a display was told of its state, and what it needs to be told next."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

Message = Mapping[str, object]

FRESH = timedelta(minutes=1)  # tokens older than that are renewed with the next change
GRANTS = ("whip", "whep", "screen")  # of a call: other ones each time they are made


class Told:
    """One display's. A message is the whole state (`render.display_state`), or what is another in its call."""

    def __init__(self) -> None:
        self._state: Message = {}
        self._at = datetime.min.replace(tzinfo=UTC)

    def next(self, state: Message, now: datetime) -> Message:
        """What to send, empty where nothing is new. `state`: as it is now."""
        before, self._state = self._state, state
        if _beside(state) != _beside(before) or now - self._at >= FRESH:
            self._at = now
            return state
        call, call_before = _call(state), _call(before)
        changed = {name: value for name, value in call.items() if value != call_before.get(name) and name not in GRANTS}
        return {"type": "call", "call": changed} if changed else {}


def _call(state: Message) -> Message:
    call = state.get("call")
    return call if isinstance(call, Mapping) else {}


def _beside(state: Message) -> object:
    """With which call it is: of another one everything is told."""
    beside = {name: value for name, value in state.items() if name not in ("call", "time")}
    return beside, _call(state).get("lesson"), _call(state).get("epoch")
