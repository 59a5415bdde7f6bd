"""The errors of the media plane.

WebrtcError
├── InvalidSdp          (ValueError)       the text is no session description that we can read
│   └── UnsupportedSdp                     it can be read, but it asks for what this node does not do
├── InvalidPacket       (ValueError)       a datagram that is not the RTP or RTCP that it should be
├── InvalidToken        (PermissionError)  the token is not ours (unreadable, forged), or expired, or revoked
├── TokenNotAllowed     (PermissionError)  a good token, for another bridge or for less than was asked
├── BridgeNotFound      (LookupError)      no such bridge on this node
├── ConnectionNotFound  (LookupError)      no such connection, or it has ended
├── BridgeFull          (RuntimeError)     the bridge has as many connections as it takes
├── HandshakeFailed     (ConnectionError)  no DTLS association: silence, wrong fingerprint, no common SRTP profile
└── RegistrationRefused (PermissionError)  the controller does not take this node: another secret, or a name in use
"""


class WebrtcError(Exception):
    """Base of all errors raised by `webrtc`."""


class InvalidSdp(WebrtcError, ValueError):
    """`reference` names the document and section that the description breaks, as "RFC 8839 5.4"."""

    def __init__(self, detail: str, *, reference: str) -> None:
        super().__init__(f"{detail} ({reference})")
        self.detail = detail
        self.reference = reference


class UnsupportedSdp(InvalidSdp):
    pass


class InvalidPacket(WebrtcError, ValueError):
    pass


class InvalidToken(WebrtcError, PermissionError):
    pass


class TokenNotAllowed(WebrtcError, PermissionError):
    pass


class BridgeNotFound(WebrtcError, LookupError):
    pass


class ConnectionNotFound(WebrtcError, LookupError):
    pass


class BridgeFull(WebrtcError, RuntimeError):
    pass


class HandshakeFailed(WebrtcError, ConnectionError):
    pass


class RegistrationRefused(WebrtcError, PermissionError):
    pass
