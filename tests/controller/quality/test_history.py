"""A lesson's figures in little room: thinned without losing what hurt, written and read."""

from datetime import UTC, datetime, timedelta

import pytest

from controller.quality.history import CAPACITY, SAMPLE_S, UNKNOWN, WORDS, Column, History, Row, row
from controller.quality.verdict import GOOD, Cause, Figures, Side, SiteQuality, Word
from webrtc.shared.state import LinkState

START = datetime(2026, 11, 22, 1, tzinfo=UTC)
WEAK = SiteQuality(word=Word.WEAK, cause=Cause.UPLINK_LOSS, side=Side.SITE)
SEEN = Figures(
    link=LinkState.GOOD,
    receiving=True,
    picture=True,
    sound=True,
    up_bps=1_500_400,
    down_bps=900_000,
    up_loss=0.0214,
    up_jitter_ms=4.0,
    down_jitter_ms=9.0,
    round_trip_ms=61.6,
)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def numbers(word: int = 0, rate: int = 100, loss: int = 0, freezes: int = 0) -> Row:
    return [word, rate, rate, rate, loss, loss, loss, loss, freezes]


def test_a_row_has_the_moments_figures_as_whole_numbers() -> None:
    assert row(SEEN, WEAK, 2) == [1, 1500, 900, UNKNOWN, 21, 0, 62, 9, 2]
    assert row(None, GOOD, 0) == [0, *[UNKNOWN] * 8]
    assert row(None, None, 0) == [UNKNOWN] * len(Column)
    assert WORDS == tuple(Word)


def test_rows_stand_at_their_times_and_gaps_stay_unknown() -> None:
    history = History(START)
    for seconds in (0, 2, 8, 12):
        history.add(at(seconds), numbers(rate=seconds, freezes=1))
    assert list(history.column(Column.UP_KBPS)) == [0, 2, UNKNOWN, UNKNOWN, 8, 12, 12]  # a late look is no gap
    assert list(history.column(Column.FREEZES)) == [1, 1, UNKNOWN, UNKNOWN, 1, UNKNOWN, 1]
    history.add(at(-60), numbers())  # the clock was set back
    assert len(history) == 7


@pytest.mark.parametrize("hours", [0.5, 2, 24])
def test_history_stays_small_however_long_the_lesson(hours: float) -> None:
    history = History(START)
    for seconds in range(0, int(hours * 3600), SAMPLE_S):
        history.add(at(seconds), numbers(rate=200 if seconds % 4 else 100, loss=50 if seconds == 100 else 0))
    assert len(history) <= CAPACITY
    assert len(history) * history.interval_s >= hours * 3600
    assert max(history.column(Column.UP_LOSS)) == 50, "what hurt has vanished"
    rates = history.column(Column.UP_KBPS)[:-1]
    assert 140 <= sum(rates) / len(rates) <= 160


def test_thinning_averages_rates_adds_freezes_and_keeps_the_worst() -> None:
    history = History(START)
    history.add(at(0), numbers(word=0, rate=100, loss=3, freezes=1))
    history.add(at(2), numbers(word=2, rate=200, loss=9, freezes=2))
    history.add(at(4), numbers(rate=50))
    thinned = history.thinned(2)
    assert (thinned.interval_s, [list(thinned.column(each)) for each in Column]) == (
        4,
        [[2, 0], [150, 50], [150, 50], [150, 50], [9, 0], [9, 0], [9, 0], [9, 0], [3, 0]],
    )
    assert len(history) == 3


def test_after_a_long_silence_the_history_is_still_bounded() -> None:
    history = History(START)
    history.add(at(0), numbers())
    history.add(at(7 * 86400), numbers())
    assert len(history) <= CAPACITY


def test_history_is_written_and_read_whole() -> None:
    history = History(START, 4)
    for seconds in range(0, 7200, 4):
        history.add(at(seconds), numbers(rate=seconds, loss=seconds % 7))
    stored = history.stored()
    read = History.of(stored)
    assert [list(read.column(each)) for each in Column] == [list(history.column(each)) for each in Column]
    assert len(stored.samples) < 2 * len(Column) * CAPACITY
    read.add(at(7200), numbers(rate=1))
    assert read.column(Column.UP_KBPS)[-1] == 1
