"""Displays get into a room by the code that they show, and out of it again."""

from collections.abc import Callable
from datetime import datetime

from controller.audit_lines import AuditLines
from controller.changes import ChangeKind
from controller.displays.pairing_codes import PairingCodes
from controller.displays.presence import Displays
from controller.ids import new_id
from controller.lessons.conductor import Conductor
from controller.nodes.bridges import Nodes
from controller.people.secret import hash_of, new_secret
from devices.changes import Changes
from rooms.people.rights import Right, Rights
from rooms.room import Display, DisplayId, RoomId
from store import Store


class Pairing:
    """`codes`: those on screens now. `displays`: those whose pages are connected."""

    def __init__(
        self,
        store: Store,
        *,
        codes: PairingCodes,
        displays: Displays,
        conductor: Conductor,
        nodes: Nodes,
        changes: Changes,
        clock: Callable[[], datetime],
    ) -> None:
        self.codes = codes
        self._store = store
        self._displays = displays
        self._conductor = conductor
        self._nodes = nodes
        self._changes = changes
        self._clock = clock
        self._lines = AuditLines("display", clock)

    async def pair(self, code: str, room_id: RoomId, name: str, *, rights: Rights, actor: str) -> Display:
        """Pair the display that shows `code` to the room. Where this fails, the code stays good.

        Raises `RoomNotFound`, `HiddenObject`, `Forbidden`, `PairingCodeNotFound`, `TooManyAttempts`, `InvalidValue`.
        """
        room = await self._store.rooms.get(room_id)
        rights.require(Right.EQUIP, room.school_id, "room", room_id)
        with self.codes.taken(code, by=actor) as tell:
            secret = new_secret()
            display = Display(id=DisplayId(new_id("s")), room_id=room_id, name=name, paired_at=self._clock())
            async with self._store.transaction() as tx:
                await tx.displays.add(display, hash_of(secret))
                await tx.audit.add(self._lines.entry(actor, "display.pair", display.id, after=_summary(display)))
        tell(secret)
        self._changes.publish(ChangeKind.ROOM, room_id)
        return display

    async def unpair(self, display_id: DisplayId, *, rights: Rights, actor: str) -> None:
        """Its page returns to pairing; it takes part in nothing any more, what it sends and receives ends.

        Raises `DisplayNotFound`, `HiddenObject`, `Forbidden`.
        """
        display = await self._store.displays.get(display_id)
        room = await self._store.rooms.get(display.room_id)
        rights.require(Right.EQUIP, room.school_id, "display", display_id)
        async with self._store.transaction() as tx:
            await tx.displays.delete(display_id)
            await tx.audit.add(self._lines.entry(actor, "display.unpair", display_id, before=_summary(display)))
        self._displays.unpair(display_id)
        plan = self._conductor.plan_in(room.id)
        if plan is not None:
            self._nodes.exclude(plan.lesson.id, participant=room.id, client=display_id)
        self._changes.publish(ChangeKind.ROOM, room.id)


def _summary(display: Display) -> dict[str, object]:
    return {"room": display.room_id, "name": display.name}
