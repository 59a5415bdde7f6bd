from webrtc.path import Address, SendTo
from webrtc.payload import Picture
from webrtc.slots import Route

INTERFACE: int
HISTORY: int

class Outlet:
    """The data of an outlet: see `webrtc.outlet.Outlet`."""

    dropped: int
    octets: int
    sequence: int
    extension: int
    timed: bool
    context: object
    sendto: SendTo
    address: Address
    def __init__(self, *, transport_cc: int = 0, send_time: int = 0) -> None: ...
    def attach(self, keys: object, context: object, pointer: int, /) -> None: ...
    def direct(self, sendto: SendTo, address: Address, socket: object, /) -> None: ...
    def word(self, now: float, /) -> int: ...
    def note(self, size: int, now: float, /) -> None: ...
    @property
    def last_sent(self) -> float: ...
    def sent(self, sequence: int, count: int, /) -> tuple[list[float], list[int]]: ...

class Sender:
    """Sends packets along routes: `send` as `webrtc.forward.Forwarder` has it."""

    def __init__(self, protect: int) -> None: ...
    def send(self, routes: tuple[Route, ...], packet: bytes, number: int, picture: Picture, now: float, /) -> None: ...
