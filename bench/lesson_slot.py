"""What comes in one slot of a subscriber, checked packet by packet as a decoder would have it. Pure.

Every number that a slot promises to continue is checked: sequence, timestamp, picture id, tl0picidx; and by the load's
stamps also what they stand for: no frame is shown without those that it is predicted from.
"""

from collections import Counter

from bench.lesson_stamp import AUDIO_STAMP_AT, VIDEO_STAMP_AT, Stamp, read
from webrtc.sdp.offer import Kind

FREEZE_S = 0.5
MAX_GAP = 2000  # packets; a longer one is a jump of the numbers


class Slot:
    """`own`: the room that must not come here. `missing`: extended sequence numbers, and when they were missed.

    `errors`: by name, what a decoder would stumble over. What `record` sets begins anew with it.
    """

    def __init__(self, *, mid: str, kind: Kind, ssrc: int, own: int) -> None:
        self.mid = mid
        self.kind: Kind = kind
        self.ssrc = ssrc
        self.packets = 0
        self.octets = 0
        self.highest = -1  # extended sequence number
        self.record()
        self._last: Stamp | None = None
        self._own = own
        self._timestamp = 0
        self._picture_id = 0
        self._tl0picidx = 0
        self._marker = True
        self._at = 0.0

    def record(self) -> None:
        """Begin to measure."""
        self._recorded_from = self.packets
        self.errors: Counter[str] = Counter()
        self.missing: dict[int, float] = {}
        self.repaired = 0
        self.cuts = 0  # numbers left out on purpose: a source was left in the middle of a frame
        self.frames: Counter[int] = Counter()  # begun, by layer
        self.switches = 0  # to another source
        self.layer_switches = 0
        self.freezes = 0
        self.longest_s = 0.0  # between two packets

    @property
    def recorded(self) -> int:
        """Packets since then."""
        return self.packets - self._recorded_from

    def read(self, packet: memoryview, start: int) -> Stamp:
        """The stamp in a decrypted packet whose payload begins at `start`."""
        return read(packet, start + (VIDEO_STAMP_AT if self.kind == "video" else AUDIO_STAMP_AT))

    def misses(self, sequence: int) -> bool:
        ahead = (sequence - self.highest) & 0xFFFF
        return self.highest - (0x10000 - ahead) in self.missing

    def count(self, packet: memoryview, now: float) -> None:
        """Check only the numbers of a packet that is still encrypted; a slot either counts or takes."""
        ahead = (packet[2] << 8 | packet[3]) - self.highest & 0xFFFF
        self.packets += 1
        self.octets += len(packet)
        if self.highest < 0:
            self.highest = packet[2] << 8 | packet[3]
        elif not 0 < ahead < 0x8000:
            self._repair(ahead)
            return
        else:
            if ahead == 2 and not self._marker:
                self.cuts += 1  # or a loss: who may not look inside cannot tell
            elif ahead > 1:
                self._miss(ahead, now)
            self.highest += ahead
        self._marker = packet[1] > 127

    def take(self, packet: memoryview, start: int, now: float) -> Stamp:
        """Check a decrypted packet whose payload begins at `start`."""
        sequence = packet[2] << 8 | packet[3]
        self.packets += 1
        self.octets += len(packet)
        found = self.read(packet, start)
        ahead = (sequence - self.highest) & 0xFFFF
        if self.highest < 0:
            self.highest = sequence
        elif not 0 < ahead < 0x8000:  # late, or sent again
            self._repair(ahead)
            return found
        else:
            self._advance(packet, start, found, ahead, now)
            self.highest += ahead
        if found.source == self._own:
            self.errors["own room"] += 1
        self._last = found
        self._timestamp = int.from_bytes(packet[4:8], "big")
        self._marker = packet[1] > 127
        self._at = now
        self.frames[found.layer] += found.place == 0
        if self.kind == "video":
            self._picture_id = (packet[start + 2] << 8 | packet[start + 3]) & 0x7FFF
            self._tl0picidx = packet[start + 4]
        return found

    def _advance(self, packet: memoryview, start: int, found: Stamp, ahead: int, now: float) -> None:
        last = self._last
        assert last is not None
        elapsed = now - self._at
        self.longest_s = max(self.longest_s, elapsed)
        begins = self.kind == "audio" or packet[start] & 0x10 != 0 and not packet[start + 6] & 1 and found.place == 0
        moved = found[1:3] != last[1:3]
        if moved:
            self.switches += found.source != last.source
            self.layer_switches += found.source == last.source
        cut = moved and begins and ahead == 2 and not self._marker
        if cut:
            self.cuts += 1
        elif ahead > 1:
            self._miss(ahead, now)
        advance = (int.from_bytes(packet[4:8], "big") - self._timestamp) & 0xFFFFFFFF
        same_frame = not moved and found.frame == last.frame and self.kind == "video"
        if advance >= 0x80000000 or (advance == 0) != same_frame:
            self.errors["timestamp"] += 1
        if self.kind == "video":
            self.freezes += elapsed > FREEZE_S
            if moved and not begins:
                self.errors["switch without keyframe"] += 1
            if ahead == 1 or cut:  # what is missing before a switch may have been pictures
                self._check_ids(packet, start, found, last, moved=moved, begins=begins)

    def _repair(self, ahead: int) -> None:
        if self.missing.pop(self.highest - (0x10000 - ahead), None) is not None:
            self.repaired += 1
        else:
            self.errors["repeated"] += 1

    def _miss(self, ahead: int, now: float) -> None:
        if ahead > MAX_GAP:
            self.errors["sequence"] += 1
        else:
            self.missing.update((number, now) for number in range(self.highest + 1, self.highest + ahead))

    def _check_ids(
        self, packet: memoryview, start: int, found: Stamp, last: Stamp, *, moved: bool, begins: bool
    ) -> None:
        picture_id = ((packet[start + 2] << 8 | packet[start + 3]) - self._picture_id) & 0x7FFF
        tl0picidx = (packet[start + 4] - self._tl0picidx) & 0xFF
        temporal = packet[start + 5] >> 6
        if not moved and found.frame == last.frame:
            if picture_id or tl0picidx or found.place != last.place + 1:
                self.errors["within a frame"] += 1
            return
        if found.place or (last.place != last.packets - 1 and not moved):
            self.errors["cut frame"] += 1
        if picture_id != 1:
            self.errors["picture id"] += 1
        if tl0picidx != (temporal == 0):
            self.errors["tl0picidx"] += 1
        if not begins and not moved and (found.base - last.base) & 0xFFFF != (temporal == 0):
            self.errors["reference missing"] += 1
