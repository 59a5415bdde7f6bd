"""What each display should show and do now: its room, the next lesson, who asks for it, and its call."""

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime, timedelta

from controller.displays.call import AskingLesson, CallRoom, DisplayCall, DisplayState, NextLesson
from controller.displays.media_tokens import MOST_VOICES, Grants
from controller.displays.presence import Displays
from controller.lessons.conductor import Conductor
from controller.lessons.lesson_run import Plan
from controller.nodes.bridge_report import (
    Received,
    bridge_slots,
    present_rooms,
    shared_screens,
    speaking_room,
    wanted_layers,
)
from controller.nodes.bridges import Nodes
from controller.schema import NamedJson, SchoolJson
from rooms.lesson import LessonState, Site, may_step_out
from rooms.room import DisplayId, Room, RoomId
from store import Store

MOST_PICTURES = 9  # a display offers to receive: the stage and eight thumbnails
LOOK_AHEAD = timedelta(hours=24)
"""A display shows its room's next lesson if it begins within this time."""


class DisplayStates:
    """Makes them from the database, the conductor, the bridge nodes and the displays that are connected."""

    def __init__(
        self,
        *,
        store: Store,
        nodes: Nodes,
        grants: Grants,
        conductor: Conductor,
        displays: Displays,
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._nodes = nodes
        self._grants = grants
        self._conductor = conductor
        self._displays = displays
        self._clock = clock

    async def state(self, display_id: DisplayId) -> DisplayState:
        """What this display should show and do now. Raises `DisplayNotFound`."""
        display = await self._store.displays.get(display_id)
        self._displays.introduce(display)
        room = await self._store.rooms.get(display.room_id)
        return DisplayState(
            time=self._clock(),
            display=display_id,
            room=NamedJson(id=room.id, name=room.name),
            school=SchoolJson.of(self._store.tree.get(room.school_id)),
            next=await self._next_lesson(room),
            asking=await self._asking(room.id),
            call=self._call(display.id, room.id),
        )

    async def _asking(self, room_id: RoomId) -> AskingLesson | None:
        lesson = None if self._conductor.in_lesson(room_id) else await self._store.lessons.asking(room_id)
        if lesson is None:
            return None
        site = lesson.site(room_id)
        host = self._store.tree.get(lesson.host_school_id)
        return AskingLesson(
            lesson=lesson.id,
            title=lesson.title,
            host=host.name,
            stepped_out=site.stepped_out,
            reminded_at=site.reminded_at,
        )

    def with_call(self, state: DisplayState) -> DisplayState:
        """The same with the call as it is now. Changes come often while a lesson is live; the database is not asked."""
        return replace(state, time=self._clock(), call=self._call(state.display, RoomId(state.room.id)))

    def _call(self, id: DisplayId, room_id: RoomId) -> DisplayCall | None:
        plan = self._conductor.plan_in(room_id)
        if plan is None or self._displays.active(room_id) != id:
            return None
        lesson = plan.lesson
        epoch = self._nodes.epoch(lesson.id)
        if epoch is None:
            return None
        others = [site for site in lesson.accepted if site.room_id != room_id]
        own = lesson.site(room_id)
        state = self._nodes.state(lesson.id)
        here, now = (room_id, id), self._clock()
        received = bridge_slots(state).get(here, Received())
        present = present_rooms(*self._nodes.states(lesson.id))
        return DisplayCall(
            lesson=lesson.id,
            title=lesson.title,
            epoch=epoch,
            spread_ms=round(self._nodes.spread_s(lesson.id) * 1000),
            whip=self._grants.publish(lesson.id, room_id, id, now),
            whep=self._grants.play(lesson.id, room_id, id, now),
            screen=self._grants.screen(lesson.id, room_id, id, epoch, now),
            sharing=shared_screens(state).get(room_id),
            video=min(len(others) + 1, MOST_PICTURES),  # one for a shared screen beside all rooms
            audio=max(1, min(len(others), MOST_VOICES)),
            rooms=tuple(_call_room(site, plan, present) for site in others),
            slots=received.slots,
            flows=received.flows,
            slides=received.slides,
            layers=wanted_layers(state).get(here, {}),
            mode=lesson.mode,
            floor=lesson.floor.room_id if lesson.floor is not None else None,
            speaking=speaking_room(state),
            muted=own.muted,
            camera_off=own.camera_off,
            may_leave=may_step_out(lesson, own),
        )

    async def _next_lesson(self, room: Room) -> NextLesson | None:
        now = self._clock()
        coming = await self._store.lessons.list(start=now, end=now + LOOK_AHEAD, school_ids={room.school_id})
        for lesson in coming:
            if lesson.state is LessonState.SCHEDULED and room.id in {site.room_id for site in lesson.accepted}:
                return NextLesson(title=lesson.title, start=lesson.start)
        return None


def _call_room(site: Site, plan: Plan, present: Collection[RoomId]) -> CallRoom:
    school = plan.schools[site.school_id]
    return CallRoom(
        id=site.room_id,
        name=plan.rooms[site.room_id].name,
        school=school.name,
        province=school.province,
        here=site.room_id in present,
        muted=site.muted,
        camera_off=site.camera_off,
    )
