"""Which topic filters a topic matches (MQTT 3.1.1 section 4.7), for many filters at once."""

from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class FilterTree(Generic[T]):
    """Values by topic filter. `+` is one level; `#` is not supported, nobody here subscribes to a whole tree."""

    def __init__(self) -> None:
        self._root: _Node[T] = _Node()

    def add(self, filter: str, value: T) -> None:
        node = self._root
        for level in filter.split("/"):
            node = node.children.setdefault(level, _Node())
        node.values.append(value)

    def match(self, topic: str) -> Iterator[T]:
        """The values of all filters that `topic` matches."""
        nodes = [self._root]
        for level in topic.split("/"):
            nodes = [child for node in nodes for key in (level, "+") if (child := node.children.get(key)) is not None]
        for node in nodes:
            yield from node.values


class _Node(Generic[T]):
    def __init__(self) -> None:
        self.children: dict[str, _Node[T]] = {}
        self.values: list[T] = []
