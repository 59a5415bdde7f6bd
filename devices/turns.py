"""Things that wait, by whose they are: owners take turns, so that who has many makes nobody else wait."""

from collections.abc import Hashable
from itertools import islice
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
T = TypeVar("T", bound=Hashable)


class Turns(Generic[K, T]):
    """Of each owner, things in the order of coming, each once."""

    def __init__(self) -> None:
        self._owners: dict[K, dict[T, None]] = {}  # in the order of their turns; none that is empty

    def __bool__(self) -> bool:
        return bool(self._owners)

    def add(self, owner: K, thing: T) -> bool:
        """Have a thing wait; False where it does already."""
        things = self._owners.setdefault(owner, {})
        new = thing not in things
        things[thing] = None
        return new

    def discard(self, owner: K, thing: T) -> bool:
        """Take a thing out; False where it did not wait."""
        things = self._owners.get(owner)
        if things is None or thing not in things:
            return False
        del things[thing]
        if not things:
            del self._owners[owner]
        return True

    def clear(self) -> None:
        self._owners.clear()

    def take(self, at_most: int, *, owners: int = 1) -> list[T]:
        """The next things: of the first `owners` a like part each, who then stand behind the others."""
        first = list(islice(self._owners, owners))
        part = at_most // len(first) if first else 0
        taken: list[T] = []
        for owner in first:
            things = self._owners.pop(owner)
            some = list(islice(things, part))
            for each in some:
                del things[each]
            if things:
                self._owners[owner] = things
            taken += some
        return taken
