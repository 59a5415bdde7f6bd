"""What `webrtc/transport/` (dtls.py, srtp.py, ice.py) relies on in the installed, pinned aiortc, aioice and pylibsrtp.

Each test is about one name that is private, or public but not promised. A new version that breaks one breaks it here.
"""

import asyncio
import inspect
from typing import cast

import pytest
from aioice import stun
from aiortc import RTCCertificate, RTCDtlsTransport, rtcdtlstransport
from aiortc.rtcdtlstransport import State
from aiortc.rtcicetransport import RTCIceTransport
from pylibsrtp import Policy, Session
from pylibsrtp._binding import ffi, lib

from tests.webrtc.secure import associated
from webrtc.transport.srtp import PacketBuffer, SrtpKeys, protect_rtcp, protect_rtp, unprotect_rtcp, unprotect_rtp

RTP = bytes.fromhex("8060000100000000cafebabe") + b"media"
RTCP = bytes.fromhex("80c90001cafebabe")


class Silence:
    """The whole of an ICE transport, as `RTCDtlsTransport` sees it."""

    role = "controlled"

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    async def _recv(self) -> bytes:
        raise ConnectionError

    async def _send(self, data: bytes) -> None:
        self.sent.append(data)


def transport() -> tuple[RTCDtlsTransport, Silence]:
    ice = Silence()
    return RTCDtlsTransport(cast(RTCIceTransport, ice), [RTCCertificate.generateCertificate()]), ice


def test_receiving_and_sending_are_all_that_is_asked_of_ice() -> None:
    source = inspect.getsource(RTCDtlsTransport)
    asked = {
        part.split("(")[0].split(" ")[0].split(",")[0].strip(":)\n") for part in source.split("self.transport.")[1:]
    }
    assert asked == {"_recv", "_send", "role"}


async def test_role_is_set_before_the_start() -> None:
    for role, first in (("client", 1), ("server", 0)):
        dtls, ice = transport()
        dtls._set_role(role)
        await dtls.start(
            rtcdtlstransport.RTCDtlsParameters(fingerprints=[rtcdtlstransport.RTCDtlsFingerprint("sha-256", "")])
        )
        assert (dtls.state, len(ice.sent)) == ("failed", first)


def test_state_is_one_of_five_and_announced_by_an_event() -> None:
    assert [str(state)[6:].lower() for state in State] == ["new", "connecting", "connected", "closed", "failed"]
    dtls, _ = transport()
    told: list[str] = []
    dtls.on("statechange", lambda: told.append(dtls.state))
    dtls._set_state(State.FAILED)
    assert told == ["failed"]


async def test_sessions_and_reading_task_are_there_once_connected() -> None:
    async with associated() as (one, _):
        dtls = one.transport._dtls
        assert isinstance(dtls._rx_srtp, Session)
        assert isinstance(dtls._tx_srtp, Session)
        assert isinstance(dtls._task, asyncio.Task)


async def test_what_comes_within_the_association_is_handed_to_its_receiver() -> None:
    async with asyncio.timeout(10), associated() as (one, two):
        heard = asyncio.Event()
        two.transport.on_record = heard.set
        two.transport.receive(b"\x17\xfe\xfd" + bytes(8) + b"\x00\x04fake")
        await one.transport._dtls._send_data(b"of a data channel")
        await heard.wait()


def test_unstarted_transport_has_no_task() -> None:
    assert transport()[0]._task is None


def session(kind: int) -> Session:
    policy = Policy(key=bytes(28), ssrc_type=kind, srtp_profile=Policy.SRTP_PROFILE_AEAD_AES_128_GCM)
    policy.allow_repeat_tx = True
    return Session(policy)


@pytest.mark.parametrize(("packet", "control"), [(RTP, False), (RTCP, True)])
def test_binding_protects_in_place_what_the_methods_do(packet: bytes, control: bool) -> None:
    sender, receiver = session(Policy.SSRC_ANY_OUTBOUND), session(Policy.SSRC_ANY_INBOUND)
    buffer = PacketBuffer()
    buffer.view[: len(packet)] = packet
    buffer.length[0] = len(packet)
    assert (protect_rtcp if control else protect_rtp)(SrtpKeys(sender).context, buffer.memory, buffer.length) == 0
    protected = bytes(buffer.view[: buffer.length[0]])
    assert protected != packet
    assert (receiver.unprotect_rtcp if control else receiver.unprotect)(protected) == packet
    again = session(Policy.SSRC_ANY_INBOUND)
    unprotect = unprotect_rtcp if control else unprotect_rtp
    assert unprotect(SrtpKeys(again).context, buffer.memory, buffer.length) == 0
    assert bytes(buffer.view[: buffer.length[0]]) == packet
    buffer.length[0] = 20
    assert unprotect(SrtpKeys(again).context, buffer.memory, buffer.length) != 0


def test_binding_has_the_four_transforms() -> None:
    for name in ("srtp_protect", "srtp_unprotect", "srtp_protect_rtcp", "srtp_unprotect_rtcp"):
        assert (
            str(ffi.typeof(getattr(lib, name))) == "<ctype 'srtp_err_status_t(*)(struct srtp_ctx_t_ *, void *, int *)'>"
        )


def test_stun_messages_are_read_checked_and_signed() -> None:
    request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST, attributes={"USERNAME": "ours:theirs"})
    request.attributes["USE-CANDIDATE"] = None
    request.add_message_integrity(b"password")
    read = stun.parse_message(bytes(request))
    assert (read.message_method, read.message_class) == (stun.Method.BINDING, stun.Class.REQUEST)
    assert {"USERNAME", "USE-CANDIDATE", "MESSAGE-INTEGRITY", "FINGERPRINT"} <= read.attributes.keys()
    assert read.check_message_integrity(b"password")
    assert not read.check_message_integrity(b"another")
    assert not stun.Message(stun.Method.BINDING, stun.Class.REQUEST).check_message_integrity(b"password")
    response = stun.Message(stun.Method.BINDING, stun.Class.RESPONSE, request.transaction_id)
    response.attributes["XOR-MAPPED-ADDRESS"] = ("192.0.2.1", 40000)
    response.add_message_integrity(b"password")
    assert stun.parse_message(bytes(response)).attributes["XOR-MAPPED-ADDRESS"] == ("192.0.2.1", 40000)
