"""Who speaks, over simulated classrooms: one packet of 20 ms each, ticks as the bridge has them."""

import pickle
import random
from collections.abc import Callable, Iterator, Mapping

import pytest

from webrtc.selection.active_speaker import CELLS, HOLD_S, MAX_SPEAKERS, RECENT, Speakers, Speech
from webrtc.shared.ids import ParticipantId

A, B, C, D = (ParticipantId(name) for name in "abcd")
SILENT, WHISPER, FAN, TALK, SHOUT = 127, 80, 45, 35, 20  # -dBov
Sound = Callable[[float], int | None]  # the level at a moment, None for no packet


def steady(level: int) -> Sound:
    return lambda _: level


def talk(level: int = TALK, *, begin: float = 0.0, end: float = 1e9) -> Sound:
    """Words of 0.9 s with pauses of 0.3 s."""
    return lambda at: level + 5 * (int(at * 50) % 2) if begin <= at < end and at % 1.2 < 0.9 else WHISPER


def bursts(level: int, *, every: float, length: float) -> Sound:
    return lambda at: level if at % every < length else WHISPER


class Classroom:
    """Sounds that go on; `dominants` and `larges`: as they changed."""

    def __init__(self, *, tick_s: float = 0.1) -> None:
        self.speakers = Speakers()
        self.now = 1000.0
        self.dominants: list[ParticipantId | None] = []
        self.larges: list[ParticipantId] = []
        self.rankings: list[tuple[ParticipantId, ...]] = []
        self._tick_s = tick_s

    def run(self, seconds: float, sounds: Mapping[ParticipantId, Sound], *, jitter_s: float = 0.0) -> None:
        chance = random.Random(7)
        start, tick_at = self.now, self.now
        for step in range(int(seconds * 50)):
            self.now = start + step / 50 + chance.random() * jitter_s
            for participant, sound in sounds.items():
                level = sound(self.now - start)
                if level is not None:
                    self.speakers.add_level(participant, level, None, self.now)
            if self.now >= tick_at:
                tick_at += self._tick_s
                self.tick()
        self.now = start + seconds

    def tick(self) -> None:
        if self.speakers.tick(self.now):
            speech = self.speakers.speech
            self.rankings.append(speech.loudest)
            if self.dominants[-1:] != [speech.dominant]:
                self.dominants.append(speech.dominant)
            if speech.recent and self.larges[-1:] != [speech.recent[0]]:
                self.larges.append(speech.recent[0])


@pytest.fixture
def classroom() -> Classroom:
    return Classroom()


def test_nobody_is_dominant_in_silence(classroom: Classroom) -> None:
    classroom.run(5, {A: steady(SILENT), B: steady(WHISPER)})
    assert (classroom.speakers.dominant, classroom.speakers.recent) == (None, ())
    assert not classroom.speakers.speaking(A)
    assert not classroom.speakers.speaking(B)


def test_who_talks_is_dominant_and_stays_it_in_silence(classroom: Classroom) -> None:
    classroom.run(3, {A: steady(WHISPER), B: talk()})
    assert classroom.speakers.speaking(B)
    classroom.run(10, {A: steady(WHISPER), B: steady(WHISPER)})
    assert classroom.dominants == [None, B]
    assert not classroom.speakers.speaking(B)


def test_a_cough_takes_nothing_from_who_talks(classroom: Classroom) -> None:
    classroom.run(2, {A: talk(), B: steady(WHISPER)})
    classroom.run(30, {A: talk(), B: bursts(SHOUT, every=2.1, length=0.25), C: bursts(SHOUT, every=1.7, length=0.2)})
    assert classroom.dominants == [None, A]


def test_continuous_noise_is_not_speech(classroom: Classroom) -> None:
    chance = random.Random(3)
    fan: Sound = lambda _: FAN + chance.randint(-3, 3)  # noqa: E731 - as the others
    classroom.run(20, {A: fan, B: steady(WHISPER)})
    assert classroom.speakers.dominant is None
    assert not classroom.speakers.speaking(A)
    classroom.run(3, {A: fan, B: talk()})
    assert classroom.speakers.dominant == B


def test_noise_that_begins_is_learned(classroom: Classroom) -> None:
    classroom.run(2, {A: steady(90), B: steady(WHISPER)})
    classroom.run(5, {A: steady(FAN), B: steady(WHISPER)})
    assert classroom.speakers.speaking(A)
    classroom.run(120, {A: steady(FAN), B: steady(WHISPER)})
    assert not classroom.speakers.speaking(A)


def test_two_who_alternate_are_dominant_in_turn_and_large_after_the_hold(classroom: Classroom) -> None:
    for _ in range(3):
        classroom.run(6, {A: talk(), B: steady(WHISPER)})
        classroom.run(6, {A: steady(WHISPER), B: talk()})
    assert classroom.dominants == [None, A, B, A, B, A, B]
    assert classroom.larges == [A, B, A, B, A, B]
    assert classroom.speakers.recent == (B, A)


def test_the_large_one_changes_every_four_seconds_at_most(classroom: Classroom) -> None:
    changes: list[tuple[float, ParticipantId]] = []
    classroom.run(1, {A: steady(WHISPER), B: steady(WHISPER)})
    for turn in range(20):
        speaker, other = (A, B) if turn % 2 else (B, A)
        for _ in range(15):
            classroom.run(0.1, {speaker: steady(TALK), other: steady(SILENT)})
            if classroom.speakers.recent[:1] not in [(), tuple(who for _, who in changes[-1:])]:
                changes.append((classroom.now, classroom.speakers.recent[0]))
    assert len(changes) > 4
    assert all(after[0] - before[0] >= HOLD_S - 0.05 for before, after in zip(changes, changes[1:], strict=False))
    assert len(classroom.dominants) > len(changes)


def test_a_new_floor_does_not_wait_for_the_hold(classroom: Classroom) -> None:
    classroom.run(2, {A: talk(), B: steady(WHISPER)})
    classroom.run(1, {A: steady(WHISPER), B: steady(TALK)})
    assert classroom.speakers.recent[0] == A
    classroom.speakers.restrict(frozenset({B}))
    classroom.run(0.5, {A: steady(WHISPER), B: steady(TALK)})
    assert classroom.speakers.recent == (B, A)


def test_only_the_eligible_can_be_dominant(classroom: Classroom) -> None:
    classroom.run(2, {A: talk(), B: steady(WHISPER), C: steady(WHISPER)})
    classroom.speakers.restrict(frozenset({B}))
    assert classroom.speakers.dominant is None
    classroom.run(5, {A: talk(), B: steady(WHISPER), C: talk()})
    assert classroom.speakers.dominant is None
    assert classroom.speakers.speaking(C)
    classroom.run(2, {A: talk(), B: talk(), C: talk()})
    assert classroom.speakers.dominant == B


def test_who_leaves_makes_room(classroom: Classroom) -> None:
    classroom.run(2, {A: talk(), B: steady(WHISPER)})
    classroom.run(2, {A: steady(WHISPER), B: talk()})
    classroom.speakers.leave(B)
    classroom.speakers.leave(B)
    assert classroom.speakers.dominant is None
    classroom.run(2, {A: talk()})
    assert classroom.speakers.speech == Speech(dominant=A, recent=(A,), loudest=(A,))
    assert not classroom.speakers.speaking(B)


def test_a_late_or_lost_packet_is_no_pause(classroom: Classroom) -> None:
    lost: Sound = lambda at: None if int(at * 50) % 7 == 0 else TALK  # noqa: E731 - as the others
    classroom.run(1, {A: steady(WHISPER)})
    classroom.run(5, {A: lost, B: bursts(SHOUT, every=1.0, length=0.3)}, jitter_s=0.06)
    assert classroom.dominants[-1] == A


@pytest.mark.parametrize("packet_s", [0.01, 0.02, 0.04, 0.06])
def test_packets_may_hold_more_or_less_sound(classroom: Classroom, packet_s: float) -> None:
    now = classroom.now
    for step in range(int(3 / packet_s)):
        now = classroom.now + step * packet_s
        classroom.speakers.add_level(A, SHOUT if step * packet_s > 0.5 else WHISPER, None, now)
        classroom.speakers.tick(now)
    assert classroom.speakers.dominant == A
    assert classroom.speakers.speaking(A)


def test_who_stops_sending_stops_speaking(classroom: Classroom) -> None:
    classroom.run(2, {A: talk()})
    assert classroom.speakers.speaking(A)
    classroom.run(1.5, {A: lambda _: None})
    assert not classroom.speakers.speaking(A)


def test_what_the_sender_calls_no_voice_is_silence(classroom: Classroom) -> None:
    for step in range(150):
        classroom.speakers.add_level(A, SHOUT, False, classroom.now + step / 50)
        classroom.speakers.tick(classroom.now + step / 50)
    assert classroom.speakers.dominant is None


def test_what_is_no_voice_shows_how_noisy_the_room_is(classroom: Classroom) -> None:
    for step in range(200):  # a steady voice after a quiet moment: without the moment it would pass for noise
        voice = step >= 50
        classroom.speakers.add_level(A, TALK if voice else WHISPER, voice, classroom.now + step / 50)
        classroom.speakers.tick(classroom.now + step / 50)
    assert classroom.speakers.dominant == A


def test_the_loudest_come_first_and_the_dominant_one_before_them(classroom: Classroom) -> None:
    classroom.run(1, dict.fromkeys((A, B, C, D), steady(WHISPER)))
    classroom.run(3, {A: talk(40), B: steady(WHISPER), C: steady(WHISPER), D: steady(WHISPER)})
    classroom.run(3, {A: talk(40), B: talk(25), C: talk(30), D: steady(WHISPER)})
    speakers = classroom.speakers
    assert speakers.dominant == A
    assert speakers.loudest({A, B, C, D}, 3)[0] == A
    assert set(speakers.loudest({A, B, C, D}, 3)) == {A, B, C}
    assert set(speakers.loudest({B, C, D}, 2)) == {B, C}
    assert speakers.loudest({D}, 3) == (D,)


def test_voices_of_nearly_one_loudness_keep_their_places(classroom: Classroom) -> None:
    def pupil(seed: int) -> Sound:
        chance = random.Random(seed)
        return lambda at: TALK + chance.randint(-4, 4) if (at + seed / 7) % 1.1 < 0.8 else WHISPER

    pupils = {participant: pupil(seed) for seed, participant in enumerate((A, B, C, D))}
    classroom.run(1, dict.fromkeys(pupils, steady(WHISPER)))
    classroom.run(3, pupils)
    heard = {frozenset(ranking[:3]) for ranking in classroom.rankings[-1:]}
    classroom.rankings.clear()
    classroom.run(20, pupils)
    heard |= {frozenset(ranking[:3]) for ranking in classroom.rankings}
    assert len(heard) <= 2  # who is dominant may have been the fourth


def test_a_flood_of_levels_is_worth_one_voice(classroom: Classroom) -> None:
    classroom.run(2, {A: talk(), B: steady(WHISPER)})
    speakers, now = classroom.speakers, classroom.now
    for step in range(5000):
        speakers.add_level(B, 0, True, now + step * 1e-6)
    for name in range(1000):
        speakers.add_level(ParticipantId(f"forged-{name}"), 0, True, now)
    speakers.tick(now + 0.1)
    assert speakers.dominant == A
    assert len(speakers.speech.loudest) == MAX_SPEAKERS
    sizes = []
    for second in range(2 * CELLS):  # nobody ticks
        speakers.add_level(B, 0, True, now + second)
        sizes.append(len(pickle.dumps(speakers)))
    assert sizes[-1] <= sizes[CELLS]
    speakers.tick(now + 1e6)
    assert len(speakers.recent) <= RECENT


def test_a_tick_says_whether_something_changed(classroom: Classroom) -> None:
    def ticks(sounds: Mapping[ParticipantId, Sound]) -> Iterator[bool]:
        for _ in range(20):
            classroom.run(0.1, sounds)
            yield classroom.speakers.tick(classroom.now)

    assert classroom.speakers.tick(classroom.now) is False
    classroom.run(1, {A: steady(WHISPER)})
    assert not any(ticks({A: steady(WHISPER)}))
