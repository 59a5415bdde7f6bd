"""Who speaks, by the levels that senders put beside their sound (RFC 6464): nothing is decoded.

The dominant speaker after Volfin and Cohen, "Dominant speaker identification for multipoint videoconferencing", with
the constants of jitsi-utils and mediasoup: sounds are compared over 20 ms, 100 ms and 1 s, so that a cough does not
replace somebody who talks. The loudest are ranked by smoothed energy, as Jitsi Videobridge routes voices.
"""

from collections import deque
from collections.abc import Collection
from dataclasses import dataclass
from itertools import islice
from math import comb, log, sqrt

from webrtc.shared.ids import ParticipantId

SILENCE_DBOV = 127  # RFC 6464 3: a level of 127 is digital silence
CELLS_PER_S = 50  # levels are kept as cells of 20 ms
CELLS = 50  # kept: those of the last second
BRIDGED = 5  # a packet also counts for so many empty cells before it: some packets hold 60 ms, and some come late
TICK_S = 0.095  # a little less than the 0.1 s between ticks, so that none is too soon
DECIDE_S = 0.3
HOLD_S = 4.0  # a large picture stays for so long at least
RECENT = 10
MAX_SPEAKERS = 128

ABOVE_NOISE = 10  # dB; less than that above the quietest is noise
NOISE_CELLS = 750  # after these 15 s the noise may be taken to have risen
LOUD = 7  # a sound of 20 ms above this is loud: over -47 dBov
GROUP = 5  # sounds of 20 ms in one of 100 ms; all of them must be loud for that to be loud
MEDIUMS = CELLS // GROUP
NEVER = 1e-10  # the least score

ALPHA = 0.5  # of the energy, per cell
FALL = 30 / CELLS_PER_S  # dB per cell at most: who pauses between two words keeps the rank
MARGIN = 10  # dB that it takes to be ranked before somebody else
BEGINS, BEGINS_WITHIN = 8, 20  # who is loud in so many of the last cells begins to speak
GOES_ON = 2  # who is loud in so many cells of the last second still speaks: words have pauses between them


@dataclass(frozen=True, slots=True, kw_only=True)
class Speech:
    """Who speaks, for `ranking`. `dominant`: who speaks now, or spoke last.

    `recent`: who is to be large by having spoken, and who was before, the newest first.
    `loudest`: all that send sound, the dominant one first, then the loudest.
    """

    dominant: ParticipantId | None = None
    recent: tuple[ParticipantId, ...] = ()
    loudest: tuple[ParticipantId, ...] = ()


class Speakers:
    """The speakers of one bridge. Call `add_level` for each packet of sound, and `tick` as often as convenient.

    `speech`, `speaking` and `loudest` are as of the last tick. Times are seconds of one monotonic clock.
    """

    def __init__(self) -> None:
        self.speech = Speech()
        self._dominant: ParticipantId | None = None
        self._recent: tuple[ParticipantId, ...] = ()
        self._speakers: dict[ParticipantId, _Speaker] = {}
        self._ranking: list[ParticipantId] = []
        self._eligible: frozenset[ParticipantId] | None = None
        self._ticked_at = -TICK_S
        self._decided_at = -DECIDE_S
        self._staged_at = -HOLD_S

    @property
    def dominant(self) -> ParticipantId | None:
        return self._dominant

    @property
    def recent(self) -> tuple[ParticipantId, ...]:
        """Who is to be large by having spoken, then who was, at most 10. The first changes every 4 s at most."""
        return self._recent

    def add_level(self, participant: ParticipantId, level: int, voice: bool | None, now: float) -> None:
        """Take the level of a packet of sound, in -dBov, 0 the loudest. `voice`: the V bit, None if unknown."""
        speaker = self._speakers.get(participant)
        if speaker is None:
            if len(self._speakers) >= MAX_SPEAKERS:
                return
            speaker = self._speakers[participant] = _Speaker()
            self._ranking.append(participant)
        loudness = SILENCE_DBOV - level
        sound = 0 if voice is False else loudness
        cell = int(now * CELLS_PER_S)
        if cell > speaker.cell:
            speaker.pending.append((cell, sound, loudness))
            speaker.cell = cell
            speaker.sound = sound
        elif (
            sound > speaker.sound and speaker.pending
        ):  # several microphones, or packets that come at once: the loudest
            speaker.pending[-1] = (cell, sound, loudness)
            speaker.sound = sound

    def leave(self, participant: ParticipantId) -> None:
        """Forget a participant that has no sound any more; nothing if it had none."""
        if self._speakers.pop(participant, None) is None:
            return
        self._ranking.remove(participant)
        if self._recent[:1] == (participant,):
            self._staged_at = -HOLD_S
        self._recent = tuple(each for each in self._recent if each != participant)
        if self._dominant == participant:
            self._dominant = None

    def restrict(self, eligible: frozenset[ParticipantId] | None) -> None:
        """Let only `eligible` be dominant, None: all, after a change of mode or floor. The stage may change at once."""
        self._eligible = eligible
        self._staged_at = -HOLD_S
        if eligible is not None and self._dominant not in eligible:
            self._dominant = None

    def tick(self, now: float) -> bool:
        """Take in the levels and decide; whether `speech` or anybody's `speaking` has changed.

        That is ten times per second at most; a call that comes sooner does nothing.
        """
        if now - self._ticked_at < TICK_S:
            return False
        self._ticked_at = now
        upto = int(now * CELLS_PER_S)
        changed = False
        for speaker in self._speakers.values():
            was_speaking = speaker.speaking
            speaker.advance(upto)
            changed |= speaker.speaking != was_speaking
        self._rank()
        if now - self._decided_at >= DECIDE_S:
            self._decided_at = now
            self._dominant = self._decide()
        self._stage(now)
        speech = Speech(
            dominant=self._dominant,
            recent=self._recent,
            loudest=self.loudest(self._speakers.keys(), len(self._speakers)),
        )
        changed |= speech != self.speech
        self.speech = speech
        return changed

    def loudest(self, eligible: Collection[ParticipantId], n: int) -> tuple[ParticipantId, ...]:
        """At most `n` of `eligible`, the dominant one first, then by smoothed energy; equals keep their order."""
        ranked = [each for each in self._ranking if each in eligible]
        ranked.sort(key=lambda each: each != self._dominant)
        return tuple(ranked[:n])

    def speaking(self, participant: ParticipantId) -> bool:
        """Whether its sound is above the noise of its room."""
        speaker = self._speakers.get(participant)
        return speaker is not None and speaker.speaking

    def _decide(self) -> ParticipantId | None:
        """The challenger that outdoes the dominant one over each of the three times, and most over the middle one."""
        holder = self._speakers.get(self._dominant) if self._dominant is not None else None
        held = holder.scores() if holder is not None else (NEVER, NEVER, NEVER)
        winner, best = self._dominant, 2.0
        for participant, speaker in self._speakers.items():
            if speaker is holder or (self._eligible is not None and participant not in self._eligible):
                continue
            at_once, in_short, at_length = (log(mine / its) for mine, its in zip(speaker.scores(), held, strict=True))
            if at_once > 3 and in_short > best and at_length > 0:
                winner, best = participant, in_short
        return winner

    def _stage(self, now: float) -> None:
        dominant = self._dominant
        if dominant is None or self._recent[:1] == (dominant,) or now - self._staged_at < HOLD_S:
            return
        self._staged_at = now
        self._recent = (dominant, *(each for each in self._recent if each != dominant))[:RECENT]

    def _rank(self) -> None:
        """Insertion sort by energy; only a clear difference counts: the order is nearly right, and must not flap."""
        ranking = self._ranking
        for end in range(1, len(ranking)):
            mine, place = ranking[end], end
            energy = self._speakers[mine].energy
            while place and energy > self._speakers[ranking[place - 1]].energy + MARGIN:
                ranking[place] = ranking[place - 1]
                place -= 1
            ranking[place] = mine


class _Speaker:
    """One participant. `levels`: of each cell, the newest first; 0 to 127, with 127 the loudest."""

    def __init__(self) -> None:
        # (cell, level of a voice, level of any sound), not yet taken into `levels`
        self.pending: deque[tuple[int, int, int]] = deque(maxlen=CELLS)
        self.cell = -1  # of the newest packet
        self.sound = 0  # the level of a voice in that cell
        self.levels: deque[int] = deque([0] * CELLS, maxlen=CELLS)
        self.energy = 0.0
        self.speaking = False
        self._written = -1  # the newest cell in `levels`
        self._noise = 0  # the quietest level, 0 before the first
        self._quietest = 0  # since `_noise` was last set
        self._noise_cells = 0

    def advance(self, upto: int) -> None:
        """Take in the packets before cell `upto`; where none came for too long, that was silence."""
        if self._written < 0:
            self._written = max(upto - CELLS, self.pending[0][0] - 1) if self.pending else upto - 1
        while self.pending and self.pending[0][0] < upto:
            cell, sound, loudness = self.pending.popleft()
            missing = cell - self._written - 1
            if missing >= BRIDGED:
                self._fill(0, missing)
                missing = 0
            self._learn_noise(loudness)
            self._fill(sound, missing + 1)
            self._written = cell
        silent = upto - 1 - self._written
        if silent >= BRIDGED:
            self._fill(0, silent)
            self._written += silent
        within, enough = (CELLS, GOES_ON) if self.speaking else (BEGINS_WITHIN, BEGINS)
        least = max(self._noise + ABOVE_NOISE, (LOUD + 1) * 10)
        self.speaking = sum(level >= least for level in islice(self.levels, within)) >= enough

    def scores(self) -> tuple[float, float, float]:
        """The likelihoods that this is speech, over 20 ms, 100 ms and 1 s."""
        floor = self._noise + ABOVE_NOISE
        immediates = [level // 10 if level >= floor else 0 for level in self.levels]
        mediums = [sum(each > LOUD for each in immediates[at : at + GROUP]) for at in range(0, CELLS, GROUP)]
        long = sum(each >= GROUP for each in mediums)
        return _SCORES_AT_ONCE[immediates[0]], _SCORES_IN_SHORT[mediums[0]], _SCORES_AT_LENGTH[long]

    def _fill(self, sound: int, cells: int) -> None:
        voiced = sound if sound >= self._noise + ABOVE_NOISE else 0
        for _ in range(min(cells, CELLS)):
            self.levels.appendleft(sound)
            self.energy = max(self.energy - FALL, self.energy + ALPHA * (voiced - self.energy), 0.0)
        self.energy = max(self.energy - FALL * max(cells - CELLS, 0), 0.0)

    def _learn_noise(self, level: int) -> None:
        if level == 0:
            return
        if not self._noise or level < self._noise:
            self._noise, self._quietest, self._noise_cells = level, 0, 0
            return
        self._quietest = min(self._quietest, level) if self._quietest else level
        self._noise_cells += 1
        if self._noise_cells >= NOISE_CELLS:
            self._noise = int(sqrt(self._noise * self._quietest))
            self._quietest, self._noise_cells = 0, 0


def _scores(n: int, weight: float, cells: int) -> tuple[float, ...]:
    """The likelihood of speech by how many of `n` are active: noise is binomial, speech exponential with `weight`."""
    return tuple(
        max(NEVER, log(comb(n, active)) - n * log(2) - log(weight) + weight * active) for active in range(cells + 1)
    )


_SCORES_AT_ONCE = _scores(13, 0.78, SILENCE_DBOV // 10)
_SCORES_IN_SHORT = _scores(GROUP, 24, GROUP)
_SCORES_AT_LENGTH = _scores(MEDIUMS, 47, MEDIUMS)
