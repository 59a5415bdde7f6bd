"""JSON of how a lesson's sites were connected."""

from datetime import datetime

from controller.quality.verdict import Word
from controller.web.models.lessons import SiteQualityJson
from controller.web.models.people import NamedJson, SchoolJson
from controller.schema import Key, Model


class HistoryJson(Model):
    """One value per step of `interval_s` from `start` on, null where nothing is known.

    Bit rates are averages; losses (0 to 1, before repair), times and words the worst of the step; freezes those in it.
    """

    start: datetime
    interval_s: int
    word: list[Word | None]
    up_kbps: list[int | None]
    down_kbps: list[int | None]
    estimate_kbps: list[int | None]
    up_loss: list[float | None]
    down_loss: list[float | None]
    round_trip_ms: list[int | None]
    jitter_ms: list[int | None]
    freezes: list[int | None]


class FiguresJson(Model):
    """A site now. Heights of pictures in lines, 0: none or not known."""

    up_kbps: int
    up_height: int
    frames_per_s: float
    down_kbps: int
    estimate_kbps: int | None
    stage_height: int
    up_loss: float
    down_loss: float
    round_trip_ms: float | None
    jitter_ms: float
    concealed: float


class SiteHistoryJson(Model):
    """`history`: null for a site that was never connected."""

    room: NamedJson
    school: SchoolJson
    quality: SiteQualityJson | None
    now: FiguresJson | None
    history: HistoryJson | None


class LessonQualityQuery(Model):
    """`room`: this site only, in full; all of them in fewer steps where it is left out."""

    room: Key | None = None


class LessonQualityJson(Model):
    lesson: str
    title: str
    live: bool
    sites: list[SiteHistoryJson]
