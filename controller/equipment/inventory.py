"""Devices of schools as lists: sorted, searched and paged, one school after another, from the registry's memory."""

import asyncio
from bisect import bisect_right
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from devices.device import Device, DeviceId
from devices.hub import DeviceHub
from rooms.folding import folded
from rooms.page import Page, Place, Wanted, page_of
from rooms.school import SchoolId, namespace


@dataclass(frozen=True, slots=True)
class _Listed:
    """A school's devices by name: `(folded name, id)`, and what each is searched by."""

    version: int
    order: list[tuple[str, DeviceId]]
    texts: list[str]
    whole: str  # all texts, so that a school in which nothing is found costs one look

    def places(self, words: tuple[str, ...]) -> Sequence[int]:
        """Where in `order` those stand that have all these words."""
        found: Sequence[int] = range(len(self.order))
        for word in words:
            found = [place for place in found if word in self.texts[place]] if word in self.whole else ()
        return found


class Inventory:
    """Sorted lists are kept by school until something of the school is described otherwise."""

    def __init__(self, hub: DeviceHub) -> None:
        self._hub = hub
        self._listed: dict[SchoolId, _Listed] = {}

    async def prepare(self, schools: Collection[SchoolId]) -> None:
        """Sort what has changed since it was last searched; others go on meanwhile."""
        for school in schools:
            if self._sort(school):
                await asyncio.sleep(0)

    def page(self, wanted: Wanted, schools: Collection[SchoolId], *, claimed: bool | None = None) -> Page[Device]:
        """By school id and name; `claimed`: only those in rooms, or only those in the inbox. To search, `prepare`."""
        ordered = sorted(schools)
        start = 0 if wanted.after is None else max(0, bisect_right(ordered, str(wanted.after[0])) - 1)
        rest = (ordered[place] for place in range(start, len(ordered)))
        found = (each for school in rest for each in self._of(school, wanted, claimed))
        return page_of(found, wanted.limit, self._total(wanted.words, ordered, claimed))

    def _of(self, school: SchoolId, wanted: Wanted, claimed: bool | None) -> Iterator[tuple[Place, Device]]:
        """The school's devices that are meant, after the place that the page begins at."""
        if not self._any(school, claimed):
            return
        listed = self._lines(school)
        after = wanted.after
        here = after is not None and after[0] == school
        begin = bisect_right(listed.order, (str(after[1]), DeviceId(str(after[2])))) if here and after else 0
        for place in listed.places(wanted.words):
            name, id = listed.order[place]
            if place >= begin and (claimed is None or self._claimed(id) is claimed):
                yield (school, name, id), self._hub.device(id)

    def _total(self, words: tuple[str, ...], schools: list[SchoolId], claimed: bool | None) -> int:
        return sum(self._count(school, words, claimed) for school in schools)

    def _count(self, school: SchoolId, words: tuple[str, ...], claimed: bool | None) -> int:
        _, all, in_rooms = self._hub.in_school(namespace(school))
        there = all if claimed is None else in_rooms if claimed else all - in_rooms
        if not words or there == 0:
            return there
        listed = self._lines(school)
        found = listed.places(words)
        if claimed is None:
            return len(found)
        return sum(self._claimed(listed.order[place][1]) is claimed for place in found)

    def _any(self, school: SchoolId, claimed: bool | None) -> bool:
        return self._count(school, (), claimed) > 0

    def _claimed(self, id: DeviceId) -> bool:
        return self._hub.room_of(id) is not None

    def _lines(self, school: SchoolId) -> _Listed:
        self._sort(school)
        return self._listed[school]

    def _sort(self, school: SchoolId) -> bool:
        """False where nothing has changed since it was last done."""
        version, _, _ = self._hub.in_school(namespace(school))
        listed = self._listed.get(school)
        if listed is not None and listed.version == version:
            return False
        devices = self._hub.of_school(namespace(school)).values()
        lines = sorted(((folded(each.name), each.id), _text(each)) for each in devices)
        texts = [text for _, text in lines]
        self._listed[school] = _Listed(version, [line for line, _ in lines], texts, "\n".join(texts))
        return True


def _text(device: Device) -> str:
    said = (folded(each) for each in (device.name, device.suggested_room, device.manufacturer, device.model))
    return " ".join((*said, device.serial.casefold()))
