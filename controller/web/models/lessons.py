"""What requests about lessons say."""

from typing import Annotated

from pydantic import Field, StrictBool

from controller.schema import Count, Key, Model, Moment, OptionalText, Slug, Text
from controller.web.models.paging import SearchQuery
from rooms.floor import FLOOR_LENGTH, LONGEST_FLOOR, SHORTEST_FLOOR, Mode
from rooms.lesson import MAX_SITES, LessonKind

RoomKeys = Annotated[list[Key], Field(min_length=1, max_length=MAX_SITES)]
FloorSeconds = Annotated[Count, Field(ge=int(SHORTEST_FLOOR.total_seconds()), le=int(LONGEST_FLOOR.total_seconds()))]


class LessonsQuery(SearchQuery):
    from_: Annotated[Moment | None, Field(alias="from")] = None
    to: Moment | None = None


class NewLessonJson(Model):
    title: Text
    subject: OptionalText = ""
    kind: LessonKind = LessonKind.LESSON
    host: Slug
    start: Moment
    end: Moment
    rooms: RoomKeys


class LessonEditJson(Model):
    """What is left out stays as it is."""

    title: Text | None = None
    subject: OptionalText | None = None
    kind: LessonKind | None = None
    start: Moment | None = None
    end: Moment | None = None
    rooms: RoomKeys | None = None


class ModeEditJson(Model):
    mode: Mode


class SendingJson(Model):
    """What is left out stays as it is."""

    muted: StrictBool | None = None
    camera_off: StrictBool | None = None


class FloorGrantJson(Model):
    """`room`: null takes the floor back. `seconds`: from now on."""

    room: Key | None
    seconds: FloorSeconds = int(FLOOR_LENGTH.total_seconds())


class ScreenJson(Model):
    """`share`: names one share among all of this login, the same as long as it lasts."""

    share: Slug


class ViewJson(Model):
    """`view`: names one among all of this login, as each window has its own."""

    view: Slug
