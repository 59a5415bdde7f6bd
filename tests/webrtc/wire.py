"""The far end of an outlet, without a network: what a subscriber would get, decrypted."""

import os
from collections.abc import Iterable
from struct import Struct

from pylibsrtp import Policy, Session

from webrtc.forwarding.outlet import Outlet
from webrtc.rtp.packet import HEADER, open_packet
from webrtc.transport.path import Path
from webrtc.transport.srtp import SrtpKeys

_VP8 = Struct("!BBHBBB")


class Wire:
    """`packets`: what came, plain; `numbers`: the transport numbers in them; `repeated`: the same octets once more."""

    def __init__(self, *, transport_cc: int = 0) -> None:
        self.packets: list[bytes] = []
        self.repeated = 0
        self._datagrams: list[bytes] = []
        self.numbers: list[int] = []
        self.outlet = Outlet(transport_cc=transport_cc)
        self._transport_cc = transport_cc
        key, profile = os.urandom(28), Policy.SRTP_PROFILE_AEAD_AES_128_GCM
        policy = Policy(key=key, ssrc_type=Policy.SSRC_ANY_OUTBOUND, srtp_profile=profile)
        policy.allow_repeat_tx = True  # as aiortc has it
        sending = Session(policy)
        self._receiving = Session(Policy(key=key, ssrc_type=Policy.SSRC_ANY_INBOUND, srtp_profile=profile))
        self.outlet.open(SrtpKeys(sending), Path(lambda datagram, _: self._take(bytes(datagram)), ("127.0.0.1", 9)))

    def _take(self, datagram: bytes) -> None:
        if datagram in self._datagrams:  # SRTP would not take it again
            self.repeated += 1
            return
        self._datagrams.append(datagram)
        packet, elements = open_packet(self._receiving.unprotect(datagram))
        self.packets.append(packet)
        if self._transport_cc in elements:
            self.numbers.append(int.from_bytes(elements[self._transport_cc], "big"))

    def take(self) -> list[bytes]:
        """What came since the last call."""
        taken, self.packets = self.packets, []
        return taken


class Vp8Sender:
    """Frames of one layer, `parts` packets each; every second one in the higher temporal layer unless `flat`."""

    def __init__(
        self, *, ssrc: int, sequence: int = 1, timestamp: int = 0, picture: int = 0, flat: bool = True
    ) -> None:
        self.ssrc, self.sequence, self.timestamp, self.picture = ssrc, sequence, timestamp, picture
        self.flat = flat
        self._base = 0

    def frame(self, *, key: bool = False, parts: int = 1) -> list[bytes]:
        temporal = 0 if self.flat or key or self.picture % 2 == 0 else 1
        if temporal == 0:
            self._base += 1
        packets = []
        for part in range(parts):
            marker = 0x80 if part == parts - 1 else 0
            header = HEADER.pack(0x80, 96 | marker, self.sequence & 0xFFFF, self.timestamp & 0xFFFFFFFF, self.ssrc)
            start = 0x90 if part == 0 else 0x80
            descriptor = _VP8.pack(
                start,
                0xE0,
                0x8000 | self.picture & 0x7FFF,
                self._base & 0xFF,
                temporal << 6 | (0x20 if temporal else 0),
                0 if key else 1,
            )
            packets.append(header + descriptor + bytes((self.picture & 0xFF, part)))
            self.sequence += 1
        self.picture += 1
        self.timestamp += 3000
        return packets


def sequences(packets: Iterable[bytes]) -> list[int]:
    return [HEADER.unpack_from(packet)[2] for packet in packets]


def contents(packets: Iterable[bytes]) -> list[tuple[int, int]]:
    """(frame, part) of each packet of a `Vp8Sender`."""
    return [(packet[-2], packet[-1]) for packet in packets]
