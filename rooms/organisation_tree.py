"""The tree of organisations in memory: asked at every request, so an answer costs what it says, not what there is."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator

from rooms.errors import OrganisationNotFound
from rooms.folding import folded
from rooms.page import Page, Place, Wanted, page_of
from rooms.school import Organisation, OrganisationId, OrganisationKind, SchoolId


class OrganisationTree:
    """All organisations. Whoever changes one in the database calls `put`; the store does (`store/organisations.py`)."""

    def __init__(self, organisations: Iterable[Organisation] = ()) -> None:
        self._all: dict[OrganisationId, Organisation] = {}
        self._children: dict[OrganisationId | None, dict[OrganisationId, None]] = {}
        self._ordered: list[tuple[Place, Organisation]] | None = None  # by name; None: to be sorted again
        self._schools: dict[OrganisationId, frozenset[SchoolId]] = {}  # at and below, of those that were asked for
        self._school_count = 0
        for each in organisations:
            self.put(each)

    def put(self, each: Organisation) -> None:
        """An organisation was added, or is another now."""
        before = self._all.get(each.id)
        if before is not None:
            del self._children[before.parent_id][each.id]
            self._school_count -= before.kind is OrganisationKind.SCHOOL
        self._all[each.id] = each
        self._children.setdefault(each.parent_id, {})[each.id] = None
        self._ordered = None
        self._schools.clear()
        self._school_count += each.kind is OrganisationKind.SCHOOL

    def __contains__(self, id: OrganisationId) -> bool:
        return id in self._all

    def __iter__(self) -> Iterator[OrganisationId]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)

    def find(self, id: OrganisationId) -> Organisation | None:
        return self._all.get(id)

    def get(self, id: OrganisationId) -> Organisation:
        """Raises `OrganisationNotFound`."""
        found = self._all.get(id)
        if found is None:
            raise OrganisationNotFound(f"no organisation {id}")
        return found

    def tops(self) -> tuple[Organisation, ...]:
        """Those with none above them, by name."""
        return self.children(None)

    def children(self, id: OrganisationId | None) -> tuple[Organisation, ...]:
        """Those directly below, by name."""
        found = [self._all[each] for each in self._children.get(id, ())]
        return tuple(sorted(found, key=_place))

    def above(self, id: OrganisationId) -> Iterator[Organisation]:
        """Those above it, the nearest first."""
        seen = {id}  # a tree with a loop would be a fault; it must not hang a request
        each = self._all.get(id)
        while each is not None and each.parent_id is not None and each.parent_id not in seen:
            seen.add(each.parent_id)
            each = self._all.get(each.parent_id)
            if each is not None:
                yield each

    def below(self, id: OrganisationId) -> Iterator[Organisation]:
        """The organisation itself and all below it, at any depth; none where it is unknown."""
        seen: set[OrganisationId] = set()
        waiting = [id] if id in self._all else []
        while waiting:
            each = waiting.pop()
            if each not in seen:
                seen.add(each)
                yield self._all[each]
                waiting.extend(self._children.get(each, ()))

    def schools_below(self, id: OrganisationId) -> frozenset[SchoolId]:
        """The schools among the organisation itself and all below it."""
        found = self._schools.get(id)
        if found is None:
            of = (each for each in self.below(id) if each.kind is OrganisationKind.SCHOOL)
            found = self._schools[id] = frozenset(each.school_id for each in of)
        return found

    def is_all_schools(self, schools: frozenset[SchoolId]) -> bool:
        """Whether no school is missing: then nothing needs to be filtered by them."""
        return len(schools) == self._school_count

    def named_like(self, *words: str) -> frozenset[OrganisationId]:
        """Those whose name or id has all these `folded` words in it."""
        return frozenset(
            each.id
            for (name, id), each in self._by_name()
            if all(word in str(name) or word in str(id) for word in words)
        )

    def page(
        self,
        wanted: Wanted,
        among: frozenset[OrganisationId] | None = None,
        kind: OrganisationKind | None = None,
    ) -> Page[Organisation]:
        """By name; `among`: of these only."""
        ordered = self._by_name()
        like = self.named_like(*wanted.words) if wanted.words else None

        def meant(each: Organisation) -> bool:
            here = (among is None or each.id in among) and (kind is None or each.kind is kind)
            return here and (like is None or each.id in like)

        start = 0 if wanted.after is None else bisect_right(ordered, wanted.after, key=lambda each: each[0])
        everything = among is None and like is None and kind is None
        total = len(ordered) if everything else sum(meant(each) for _, each in ordered)
        left = (ordered[place] for place in range(start, len(ordered)))
        return page_of(((place, each) for place, each in left if meant(each)), wanted.limit, total)

    def _by_name(self) -> list[tuple[Place, Organisation]]:
        if self._ordered is None:
            self._ordered = sorted(((_place(each), each) for each in self._all.values()), key=lambda each: each[0])
        return self._ordered


def _place(each: Organisation) -> Place:
    return (folded(each.name), each.id)
