"""SRTP in place, by libsrtp (RFC 3711). The only file that knows private names of pylibsrtp.

Packets are protected and unprotected where they lie, without the copies and objects of pylibsrtp's methods.
`tests/webrtc/test_dtls_contract.py` holds each private name that is used here against the pinned version.
"""

from collections.abc import Callable
from typing import Protocol

from pylibsrtp import Session
from pylibsrtp._binding import ffi, lib

BUFFER_SIZE = 2048  # a datagram of 1,500 octets, and behind it what SRTP may append (144)


class Length(Protocol):
    """A C `int *`."""

    def __getitem__(self, index: int) -> int: ...
    def __setitem__(self, index: int, value: int) -> None: ...


class PacketBuffer:
    """Memory that libsrtp works on; `view` is the same for Python; `length[0]` goes in and comes out."""

    def __init__(self) -> None:
        self.memory: object = ffi.new("char[]", BUFFER_SIZE)
        self.view = memoryview(ffi.buffer(self.memory))
        self.length: Length = ffi.new("int *")


def _address_of(pointer: object) -> int:
    return int(ffi.cast("uintptr_t", pointer))


# context, memory, length -> 0, or an error of libsrtp. The context must be one of a living `SrtpKeys`.
Transform = Callable[[object, object, Length], int]
protect_rtp: Transform = lib.srtp_protect
protect_rtcp: Transform = lib.srtp_protect_rtcp
unprotect_rtp: Transform = lib.srtp_unprotect
unprotect_rtcp: Transform = lib.srtp_unprotect_rtcp
PROTECT_RTP = _address_of(ffi.addressof(lib, "srtp_protect"))  # `protect_rtp` for C


class SrtpKeys:
    """One direction's SRTP context. libsrtp frees what `context` points to when this object goes."""

    __slots__ = ("_session", "context")

    def __init__(self, session: Session) -> None:
        self._session = session
        self.context: object = session._srtp[0]

    @property
    def pointer(self) -> int:
        """`context` for C."""
        return _address_of(self.context)
