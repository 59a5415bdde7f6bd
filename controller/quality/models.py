"""How a lesson's sites were connected, as pages are sent it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from controller.quality.history import UNKNOWN, WORDS, Column, History
from controller.quality.verdict import Figures, SiteQuality, Word
from controller.schema import NamedJson, SchoolJson


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryJson:
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

    @classmethod
    def of(cls, history: History) -> "HistoryJson":
        def numbers(column: Column) -> list[int | None]:
            return [None if each == UNKNOWN else each for each in history.column(column)]

        def shares(column: Column) -> list[float | None]:
            return [None if each == UNKNOWN else each / 1000 for each in history.column(column)]

        words: Sequence[int] = history.column(Column.WORD)
        return cls(
            start=history.start,
            interval_s=history.interval_s,
            word=[None if each == UNKNOWN else WORDS[each] for each in words],
            up_kbps=numbers(Column.UP_KBPS),
            down_kbps=numbers(Column.DOWN_KBPS),
            estimate_kbps=numbers(Column.ESTIMATE_KBPS),
            up_loss=shares(Column.UP_LOSS),
            down_loss=shares(Column.DOWN_LOSS),
            round_trip_ms=numbers(Column.ROUND_TRIP_MS),
            jitter_ms=numbers(Column.JITTER_MS),
            freezes=numbers(Column.FREEZES),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FiguresJson:
    """A site now. Heights of pictures in lines, 0: none or not known. Losses: 0 to 1."""

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

    @classmethod
    def of(cls, seen: Figures) -> "FiguresJson":
        return cls(
            up_kbps=round(seen.up_bps / 1000),
            up_height=seen.up_height,
            frames_per_s=seen.frames_per_s,
            down_kbps=round(seen.down_bps / 1000),
            estimate_kbps=None if seen.estimate_bps is None else round(seen.estimate_bps / 1000),
            stage_height=seen.stage_height,
            up_loss=round(seen.up_loss, 3),
            down_loss=round(seen.down_loss, 3),
            round_trip_ms=seen.round_trip_ms,
            jitter_ms=max(seen.up_jitter_ms, seen.down_jitter_ms),
            concealed=seen.concealed,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteHistoryJson:
    """`history`: null for a site that was never connected."""

    room: NamedJson
    school: SchoolJson
    quality: SiteQuality | None
    now: FiguresJson | None
    history: HistoryJson | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LessonQualityJson:
    lesson: str
    title: str
    live: bool
    sites: list[SiteHistoryJson]
