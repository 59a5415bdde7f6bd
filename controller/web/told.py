"""What a display was told of its state, and what it needs to be told next."""

from dataclasses import fields
from datetime import UTC, datetime, timedelta

from controller.displays.call import DisplayCall, DisplayState
from controller.web.messages import CallChange

FRESH = timedelta(minutes=1)  # tokens older than that are renewed with the next change
GRANTS = frozenset({"whip", "whep", "screen"})  # of a call: other ones each time they are made
CHANGING = tuple(each.name for each in fields(DisplayCall) if each.name not in GRANTS)


class Told:
    """One display's. A message is the whole state, or what is another in its call."""

    def __init__(self) -> None:
        self._state: DisplayState | None = None
        self._at = datetime.min.replace(tzinfo=UTC)

    def next(self, state: DisplayState) -> DisplayState | CallChange | None:
        """What to send, None where nothing is new. `state`: as it is now."""
        before, self._state = self._state, state
        if before is None or _beside(state) != _beside(before) or state.time - self._at >= FRESH:
            self._at = state.time
            return state
        if state.call is None or before.call is None:
            return None
        changed = {
            name: value for name in CHANGING if (value := getattr(state.call, name)) != getattr(before.call, name)
        }
        return CallChange(call=changed) if changed else None


def _beside(state: DisplayState) -> object:
    """With which call it is: of another one everything is told."""
    call = state.call
    which = None if call is None else (call.lesson, call.epoch)
    return state.display, state.room, state.school, state.next, state.asking, which
