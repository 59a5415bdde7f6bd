"""Forwarding by `nhipcau-fast`, the compiled helper: it takes in, rewrites, protects and sends, and follows feedback.

Packets are protected by the same libsrtp and the same contexts as in Python, which are handed over by address: what is
sent again and padding go out by `Forwarder`, and there is no second count of any stream. Many datagrams share a system
call where the path is a UDP socket; elsewhere the path's own `sendto` is called. Raises `ImportError` where the helper
is not installed or does not fit.
"""

from collections.abc import Sequence

import nhipcau_fast

from webrtc.errors import InvalidPacket
from webrtc.estimation.trendline import Trendline, Usage
from webrtc.forwarding.forward import Forwarder
from webrtc.forwarding.outlet import HISTORY, Outlet, Told
from webrtc.rtp.packet import Elements
from webrtc.rtp.transport_cc import TransportFeedback
from webrtc.transport.dtls import PROTECT_RTP, SrtpKeys
from webrtc.transport.path import Path
from webrtc.transport.receive import HELD, Inbox

INTERFACE = 5  # with each change of `Route` or of what is used here, another number in both

if (nhipcau_fast.INTERFACE, nhipcau_fast.HISTORY, nhipcau_fast.HELD) != (INTERFACE, HISTORY, HELD):
    raise ImportError(f"nhipcau-fast has interface {nhipcau_fast.INTERFACE}, not {INTERFACE}; build it again")


class FastOutlet(nhipcau_fast.Outlet, Outlet):
    """An outlet whose data C keeps."""

    def __init__(self, *, transport_cc: int = 0, send_time: int = 0) -> None:
        nhipcau_fast.Outlet.__init__(self, transport_cc=transport_cc, send_time=send_time)
        self._repeats, self.repeating = {}, set()

    def open(self, keys: SrtpKeys, path: Path) -> None:
        self.attach(keys, keys.context, keys.pointer)
        self.move(path)

    def move(self, path: Path) -> None:
        self.direct(*path, path.socket)

    def told(self, sequence: int, ticks: Sequence[int], zero: int, trend: Trendline | None, /) -> Told | None:
        told = nhipcau_fast.Outlet.told(self, sequence, ticks, zero, trend)
        return None if told is None else Told._make(told)


class FastTrendline(nhipcau_fast.Trendline, Trendline):
    def __init__(self) -> None:
        nhipcau_fast.Trendline.__init__(self, Usage.NORMAL, Usage.OVER, Usage.UNDER)


class FastInbox(nhipcau_fast.Inbox, Inbox):
    """`receive` is the helper's: all that has come in one system call."""


class FastForwarder(nhipcau_fast.Sender, Forwarder):
    """`send` is the helper's."""

    def __init__(self) -> None:
        nhipcau_fast.Sender.__init__(self, PROTECT_RTP)
        Forwarder.__init__(self)

    def outlet(self, *, transport_cc: int = 0, send_time: int = 0) -> Outlet:
        return FastOutlet(transport_cc=transport_cc, send_time=send_time)

    def trendline(self) -> Trendline:
        return FastTrendline()

    def inbox(self) -> Inbox:
        return FastInbox()

    @staticmethod
    def open_packet(packet: memoryview) -> tuple[bytes, Elements]:
        try:
            return nhipcau_fast.open_packet(packet)
        except ValueError as error:
            raise InvalidPacket(str(error)) from None

    @staticmethod
    def read_feedback(body: bytes) -> TransportFeedback:
        return TransportFeedback._make(nhipcau_fast.read_feedback(body))
