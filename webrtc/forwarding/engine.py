"""An engine: all that the hot path of a node consists of, in one language. This one is Python's, the reference."""

from collections.abc import Callable
from dataclasses import dataclass

from webrtc.estimation.trendline import Trendline
from webrtc.forwarding.forward import Forwarder
from webrtc.forwarding.outlet import Outlet
from webrtc.rtp.packet import Elements, open_packet
from webrtc.rtp.transport_cc import TransportFeedback
from webrtc.transport.receive import Inbox


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """The classes and functions that belong together: outlets of one engine do not go with the forwarder of another.

    `inbox`: takes in what comes at one socket. `open_packet`, `read_feedback`: read what was taken in, as
    `webrtc.rtp.packet.open_packet` and `TransportFeedback.from_body` do. `outlet`, `forwarder`: send it on; one outlet
    for each subscriber, one forwarder for the node. `trendline`: follows what one subscriber's feedback acknowledges.
    """

    name: str
    inbox: type[Inbox]
    open_packet: Callable[[memoryview], tuple[bytes, Elements]]
    read_feedback: Callable[[bytes], TransportFeedback]
    outlet: type[Outlet]
    forwarder: type[Forwarder]
    trendline: type[Trendline]


PURE = Engine(
    name="pure",
    inbox=Inbox,
    open_packet=open_packet,
    read_feedback=TransportFeedback.from_body,
    outlet=Outlet,
    forwarder=Forwarder,
    trendline=Trendline,
)
