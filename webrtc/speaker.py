"""Who speaks, told from the levels that senders put beside their sound (RFC 6464): nothing is decoded.

The dominant speaker after Volfin and Cohen, "Dominant speaker identification for multipoint videoconferencing", with the
constants of jitsi-utils and mediasoup: a sound is compared over 20 ms, 100 ms and 1 s, so that a cough takes nothing from
somebody who talks. The loudest by smoothed energy, as Jitsi Videobridge routes voices.
"""

from collections import deque
from collections.abc import Collection
from dataclasses import dataclass
from itertools import islice
from math import comb, log, sqrt

from webrtc.ids import ParticipantId

SILENCE_DBOV = 127  # RFC 6464 3: a level of 127 is digital silence
CELLS_PER_S = 50  # levels are kept as cells of 20 ms
CELLS = 50
BRIDGED = 5  # cells that the next level stands for: packets come late, or hold up to 60 ms of sound
DECIDE_S = 0.3
HOLD_S = 4.0  # the large picture stays so long
RECENT = 10
MAX_EARS = 128

LOUD = 7  # an immediate above this is speech: louder than -47 dBov
ABOVE_NOISE = 10  # dB
NOISE_CELLS = 750  # 15 s

ALPHA = 0.5  # of the energy, per cell
FALL = 30 / CELLS_PER_S  # dB per cell: who pauses between two words keeps the place
MARGIN = 10  # dB that it takes to be placed before somebody
SPEAKING_CELLS = 20  # who is loud in 8 of the last 20 cells speaks,
BEGINS = 8
GOES_ON = 2  # and goes on while it is in 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Speech:
    """Who speaks, for `casting`. `dominant`: at this moment. `recent`: who is to be large, held, and who was before.

    `loudest`: all that were heard, the dominant one and then the loudest first.
    """

    dominant: ParticipantId | None = None
    recent: tuple[ParticipantId, ...] = ()
    loudest: tuple[ParticipantId, ...] = ()


class Speakers:
    """Of one bridge. `hear` for every packet, `tick` at least every 300 ms; all times are those of one steady clock, in s."""

    def __init__(self) -> None:
        self.dominant: ParticipantId | None = None  # who speaks, or spoke last
        self.recent: tuple[ParticipantId, ...] = ()  # who was dominant for the large picture, the newest first
        self._ears: dict[ParticipantId, _Ear] = {}
        self._eligible: frozenset[ParticipantId] | None = None
        self._ranking: list[ParticipantId] = []
        self._decide_at = 0.0
        self._held_until = 0.0

    @property
    def speech(self) -> Speech:
        return Speech(dominant=self.dominant, recent=self.recent, loudest=self.loudest(self._ears, len(self._ears)))

    def hear(self, participant: ParticipantId, level: int, voice: bool | None, now: float) -> None:
        """A packet of sound. `level`: in -dBov, 0 the loudest. `voice`: the V bit, None where it says nothing."""
        ear = self._ears.get(participant)
        if ear is None:
            if len(self._ears) >= MAX_EARS:
                return
            ear = self._ears[participant] = _Ear()
            self._ranking.append(participant)
        loud = 0 if voice is False else SILENCE_DBOV - level
        cell = int(now * CELLS_PER_S)
        if cell > ear.cell:
            ear.heard.append((cell, loud))
            ear.cell = cell
            ear.level = loud
        elif loud > ear.level:  # the loudest of several microphones, and of packets that come at once
            ear.heard[-1] = (cell, loud)
            ear.level = loud

    def leave(self, participant: ParticipantId) -> None:
        """It has no sound any more; nothing if it had none."""
        if self._ears.pop(participant, None) is None:
            return
        self._ranking.remove(participant)
        self.recent = tuple(each for each in self.recent if each != participant)
        if self.dominant == participant:
            self.dominant = None
            self._held_until = 0.0

    def restrict(self, eligible: frozenset[ParticipantId] | None) -> None:
        """Mode or floor has changed: only `eligible` may be dominant, None for anybody; the large picture may change at once."""
        self._eligible = eligible
        self._held_until = 0.0
        if eligible is not None and self.dominant not in eligible:
            self.dominant = None

    def tick(self, now: float) -> bool:
        """Decide anew; whether `speech` has changed."""
        return False

    def loudest(self, eligible: Collection[ParticipantId], n: int) -> tuple[ParticipantId, ...]:
        """At most `n` of `eligible`, the dominant one first, then by smoothed energy; steady among equals."""
        return ()

    def speaking(self, participant: ParticipantId) -> bool:
        """Whether its sound is above the noise of its room."""
        return False


class _Ear:
    """What was heard of one participant."""

    def __init__(self) -> None:
        self.heard: deque[tuple[int, int]] = deque(maxlen=CELLS)
        self.cell = -1
        self.level = 0
