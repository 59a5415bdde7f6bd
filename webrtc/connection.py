"""One WebRTC connection of a participant's client: ICE, DTLS and the packets of one direction."""

from webrtc.ids import ClientId, ConnectionId, ParticipantId


class Connection:
    """What WHIP or WHEP hands out. `answer_text`: our SDP; `etag`: names the ICE session, changes with `restart_ice`."""

    id: ConnectionId
    participant: ParticipantId
    client: ClientId
    answer_text: str

    @property
    def etag(self) -> str:
        raise NotImplementedError

    def restart_ice(self, ufrag: str, pwd: str) -> tuple[str, str]:
        """Take the client's new credentials and return ours (RFC 8445 9); media goes on over the old path until then."""
        raise NotImplementedError
