"""The engine of `nhipcau-fast`, the compiled helper: it takes in, rewrites, protects and sends, and follows feedback.

Packets are protected by the same libsrtp and the same contexts as in Python, which are handed over by address. So
`Forwarder` sends retransmissions and padding here as well, and no stream is counted twice. Many datagrams share a
system call where the path is a UDP socket; elsewhere the path's own `sendto` is called. Raises `ImportError` where the
helper is not installed or does not fit.
"""

from collections.abc import Sequence

import nhipcau_fast

from webrtc.errors import InvalidPacket
from webrtc.estimation.sent import HISTORY, Acked
from webrtc.estimation.trendline import Trendline, Usage
from webrtc.forwarding.engine import Engine
from webrtc.forwarding.forward import Forwarder
from webrtc.forwarding.outlet import Outlet
from webrtc.rtp.packet import Elements
from webrtc.rtp.transport_cc import TransportFeedback
from webrtc.transport.path import Path
from webrtc.transport.receive import HELD, Inbox
from webrtc.transport.srtp import PROTECT_RTP, SrtpKeys

INTERFACE = 6  # with each change of `Route` or of what is used here, another number in both

if (nhipcau_fast.INTERFACE, nhipcau_fast.HISTORY, nhipcau_fast.HELD) != (INTERFACE, HISTORY, HELD):
    raise ImportError(f"nhipcau-fast has interface {nhipcau_fast.INTERFACE}, not {INTERFACE}; build it again")


class FastInbox(nhipcau_fast.Inbox, Inbox):
    """`receive` is the helper's: it takes in all that has come in one system call."""


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

    def acked(self, sequence: int, ticks: Sequence[int], zero: int, trend: Trendline | None, /) -> Acked | None:
        acked = nhipcau_fast.Outlet.acked(self, sequence, ticks, zero, trend)
        return None if acked is None else Acked._make(acked)


class FastForwarder(nhipcau_fast.Forwarder, Forwarder):
    """`hold`, `send` and `flush` are the helper's."""

    def __init__(self) -> None:
        nhipcau_fast.Forwarder.__init__(self, PROTECT_RTP)
        Forwarder.__init__(self)


class FastTrendline(nhipcau_fast.Trendline, Trendline):
    def __init__(self) -> None:
        nhipcau_fast.Trendline.__init__(self, Usage.NORMAL, Usage.OVER, Usage.UNDER)


def open_packet(packet: memoryview) -> tuple[bytes, Elements]:
    """As `webrtc.rtp.packet.open_packet`. Raises `InvalidPacket`."""
    try:
        return nhipcau_fast.open_packet(packet)
    except ValueError as error:
        raise InvalidPacket(str(error)) from None


def read_feedback(body: bytes) -> TransportFeedback:
    """As `TransportFeedback.from_body`. Raises `IndexError`."""
    return TransportFeedback._make(nhipcau_fast.read_feedback(body))


FAST = Engine(
    name="fast",
    inbox=FastInbox,
    open_packet=open_packet,
    read_feedback=read_feedback,
    outlet=FastOutlet,
    forwarder=FastForwarder,
    trendline=FastTrendline,
)
