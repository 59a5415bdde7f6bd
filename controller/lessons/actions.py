"""What everything that people do to lessons has in common: it is written with its audit line, then followed."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

from controller.lessons.conductor import Conductor
from controller.lessons.record import lesson_entry
from rooms.lesson import Lesson
from store import Store
from store.lessons import LessonChange

Said = Callable[[Lesson], Mapping[str, object] | None]
"""What the audit log says of a lesson before and after."""


class LessonActions:
    """Each action is written, recorded, followed and announced when it returns, or nothing of it has happened.

    `actor`: for the record. All raise `LessonNotFound`, and `HiddenObject` or `Forbidden` by the rights they are given.
    """

    def __init__(self, store: Store, conductor: Conductor, *, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._conductor = conductor
        self._clock = clock

    async def _change(
        self, write: Callable[[Store], Awaitable[LessonChange]], action: str, *, actor: str, said: Said
    ) -> Lesson:
        """The lesson after `write`, which gets the store of one transaction; what was so already is not recorded."""
        async with self._store.transaction() as tx:
            change = await write(tx)
            if change.happened:
                before, after = (said(each) for each in change)
                entry = lesson_entry(change.after, action, at=self._clock(), actor=actor, before=before, after=after)
                await tx.audit.add(entry)
        return await self._conductor.follow(change.after)
