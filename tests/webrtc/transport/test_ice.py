import asyncio

import pytest
from aioice import stun

from testing.webrtc.bare import offer
from tests.webrtc.peers import LESSON, lesson
from webrtc.errors import BridgeFull, InvalidSdp
from webrtc.shared.ids import ClientId, ParticipantId
from webrtc.transport.dtls import Certificate
from webrtc.transport.ice import CHECKS_PER_SECOND, MAX_ADDRESSES, OWNED_S, SILENT_S, Credentials, IceLite, IceSession
from webrtc.transport.path import Address, Path
from webrtc.transport.receive import ReceiveBuffer

A, B, C = ("192.0.2.1", 1000), ("192.0.2.2", 2000), ("192.0.2.3", 3000)


class Client:
    """The peer behind a session, and what it sees: addresses chosen for it."""

    def __init__(self, network: "Network") -> None:
        self.moves: list[Address] = []
        self.session = IceSession(peer=self, moved=lambda path: self.moves.append(path.address), now=0.0)
        self.network = network
        network.ice.add(self.session)

    def receive_dtls(self, datagram: bytes) -> None: ...
    def receive_media(self, received: ReceiveBuffer, size: int, now: float) -> None: ...

    def check(self, address: Address, *, nominate: bool = False, credentials: Credentials | None = None) -> None:
        self.network.receive(check(credentials or self.session.credentials, nominate=nominate), address)


class Network:
    def __init__(self) -> None:
        self.sent: list[tuple[bytes, Address]] = []
        self.ice = IceLite()

    def receive(self, datagram: bytes, address: Address) -> None:
        self.ice.receive(datagram, Path(self._sendto, address))

    def _sendto(self, datagram: memoryview | bytes, address: Address) -> None:
        self.sent.append((bytes(datagram), address))


def check(credentials: Credentials, *, nominate: bool = False) -> bytes:
    request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST, b"transaction!")
    request.attributes["USERNAME"] = f"{credentials.ufrag}:theirs"
    request.attributes["PRIORITY"] = 1
    request.attributes["ICE-CONTROLLING"] = 1
    if nominate:
        request.attributes["USE-CANDIDATE"] = None
    request.add_message_integrity(credentials.pwd.encode())
    return bytes(request)


def test_check_is_answered_with_the_source_address() -> None:
    network = Network()
    client = Client(network)
    client.check(A)
    [(datagram, address)] = network.sent
    answer = stun.parse_message(datagram)
    assert address == A
    assert (answer.message_class, answer.transaction_id) == (stun.Class.RESPONSE, b"transaction!")
    assert answer.attributes["XOR-MAPPED-ADDRESS"] == A
    assert answer.check_message_integrity(client.session.credentials.pwd.encode())
    assert "FINGERPRINT" in answer.attributes


def test_packets_are_taken_from_everywhere_and_sent_where_the_client_wants() -> None:
    network = Network()
    client = Client(network)
    client.check(A)
    client.check(B)
    client.check(B, nominate=True)
    client.check(A)
    client.check(C, nominate=True)
    assert client.moves == [A, B, C]
    assert network.ice.peers == {A: client, B: client, C: client}


def test_path_that_fell_silent_is_left_for_one_that_is_checked() -> None:
    network = Network()
    client = Client(network)
    client.check(A, nominate=True)
    client.check(B)
    client.session.verified[A] -= SILENT_S - 0.5
    client.check(B)
    assert client.moves == [A]
    client.session.verified[A] -= 0.6
    client.check(B)
    assert client.moves == [A, B]
    network.ice.forget(B)
    client.check(A)
    assert client.moves == [A, B, A]


def test_path_on_which_packets_come_is_not_left_for_one_that_is_checked() -> None:
    network = Network()
    client = Client(network)
    client.check(A, nominate=True)
    client.session.verified[A] -= SILENT_S + 1
    client.session.note_received(A, client.session.received_at)
    client.check(B)
    assert client.moves == [A]


def test_address_on_which_packets_come_is_not_given_to_another() -> None:
    network = Network()
    victim, attacker = Client(network), Client(network)
    victim.check(A, nominate=True)
    victim.session.verified[A] -= OWNED_S + 1
    victim.session.note_received(A, victim.session.received_at)
    attacker.check(A, nominate=True)
    assert (network.ice.peers, attacker.moves) == ({A: victim}, [])
    victim.session.verified[A] -= OWNED_S + 1
    attacker.check(A, nominate=True)
    assert (network.ice.peers, attacker.moves) == ({A: attacker}, [A])


def test_address_without_a_sign_for_longest_makes_way() -> None:
    network = Network()
    client = Client(network)
    for port in range(MAX_ADDRESSES):
        client.check((A[0], port), nominate=True)
    client.session.note_received((A[0], 0), client.session.received_at)
    client.check(B)
    assert set(network.ice.peers) == {B, (A[0], 0), *((A[0], port) for port in range(2, MAX_ADDRESSES))}


def test_restart_takes_effect_with_the_first_new_check() -> None:
    network = Network()
    client = Client(network)
    old = client.session.credentials
    client.check(A, nominate=True)
    new = network.ice.restart(client.session)
    assert new != old
    client.check(A, nominate=True, credentials=old)
    assert len(network.sent) == 2
    client.check(B, nominate=True, credentials=new)
    client.check(A, nominate=True, credentials=old)
    assert (len(network.sent), network.ice.refused, client.moves) == (3, 1, [A, B])


def test_name_that_is_taken_is_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = iter([Credentials(ufrag=ufrag, pwd=f"{number:032}") for number, ufrag in enumerate("aababcabcd")])
    monkeypatch.setattr(Credentials, "new", lambda: next(drawn))
    network = Network()
    one, two = Client(network), Client(network)
    assert (one.session.credentials.ufrag, two.session.credentials.ufrag) == ("a", "b")
    network.ice.restart(one.session)
    assert one.session.credentials.ufrag == "c"
    one.check(A)
    two.check(B)
    assert (network.ice.peers, len(network.sent)) == ({A: one, B: two}, 2)
    network.ice.remove(two.session)
    network.ice.remove(two.session)
    one.check(A)
    assert (network.ice.peers, len(network.sent)) == ({A: one}, 3)


async def test_connections_never_share_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = iter([Credentials(ufrag=ufrag * 4, pwd="p" * 32) for ufrag in "aababc"])
    monkeypatch.setattr(Credentials, "new", lambda: next(drawn))
    monkeypatch.setattr("webrtc.bridge.bridge.MAX_CONNECTIONS", 2)
    text = offer(Certificate(), "sendonly", ["video"])
    async with asyncio.timeout(10), lesson() as here:
        one = await here.plane.publish(LESSON, ParticipantId("a"), ClientId("c"), text)
        with pytest.raises(InvalidSdp):
            await here.plane.subscribe(LESSON, ParticipantId("b"), ClientId("c"), text)
        two = await here.plane.publish(LESSON, ParticipantId("b"), ClientId("c"), text)
        assert (one.etag, two.etag) == ("aaaa", "bbbb")
        with pytest.raises(BridgeFull):
            await here.plane.publish(LESSON, ParticipantId("c"), ClientId("c"), text)
        await here.plane.close_connection(two.id)
        assert f"a=ice-ufrag:{one.etag}\r\n" in one.answer_text


def test_what_is_no_check_for_us_gets_no_answer() -> None:
    network = Network()
    client = Client(network)
    good = check(client.session.credentials)
    stranger = check(Credentials(ufrag="none", pwd="x" * 32))
    forged = check(Credentials(ufrag=client.session.credentials.ufrag, pwd="x" * 32))
    response = bytes(stun.Message(stun.Method.BINDING, stun.Class.RESPONSE))
    unsigned = bytes(stun.Message(stun.Method.BINDING, stun.Class.REQUEST))
    for datagram in (stranger, forged, response, unsigned, good[:-1], good[:40], bytes(20), b"\x00\x01" + bytes(90)):
        network.receive(datagram, A)
    assert (network.sent, network.ice.peers, network.ice.refused) == ([], {}, 8)
    client.check(A)
    assert len(network.sent) == 1


def test_client_that_would_be_controlled_gets_the_conflict() -> None:
    network = Network()
    client = Client(network)
    request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    request.attributes["USERNAME"] = f"{client.session.credentials.ufrag}:theirs"
    request.attributes["ICE-CONTROLLED"] = (1 << 64) - 1
    request.add_message_integrity(client.session.credentials.pwd.encode())
    network.receive(bytes(request), A)
    [(datagram, _)] = network.sent
    answer = stun.parse_message(datagram)
    assert (answer.message_class, answer.attributes["ERROR-CODE"]) == (stun.Class.ERROR, (487, "Role Conflict"))
    assert answer.check_message_integrity(client.session.credentials.pwd.encode())
    assert (network.ice.peers, client.moves) == ({}, [])


def test_wrong_fingerprint_gets_no_answer() -> None:
    network = Network()
    client = Client(network)
    request = check(client.session.credentials)
    network.receive(request[:-1] + bytes([request[-1] ^ 1]), A)
    assert (network.sent, network.ice.refused) == ([], 1)


def test_answer_is_hardly_longer_than_the_shortest_request() -> None:
    for address in (A, ("2001:db8::1", 1000, 0, 0)):
        network = Network()
        client = Client(network)
        request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
        request.attributes["USERNAME"] = client.session.credentials.ufrag
        request.add_message_integrity(client.session.credentials.pwd.encode())
        shortest = bytes(request)[:-8]  # no fingerprint
        network.receive(shortest[:2] + (len(shortest) - 20).to_bytes(2, "big") + shortest[4:], address)
        [(datagram, _)] = network.sent
        assert len(datagram) < 1.5 * len(shortest)


def test_strangers_behind_a_members_ip_do_not_use_up_what_it_may_send() -> None:
    network = Network()
    client = Client(network)
    client.check(A, nominate=True)
    stranger = check(Credentials(ufrag="none", pwd="x" * 32))
    for port in range(3 * CHECKS_PER_SECOND):
        network.receive(stranger, (A[0], port + 2000))
    client.check(A)
    assert (len(network.sent), network.ice.refused) == (2, 3 * CHECKS_PER_SECOND)


def test_member_cannot_take_the_address_of_another() -> None:
    network = Network()
    victim, attacker = Client(network), Client(network)
    victim.check(A, nominate=True)
    attacker.check(A, nominate=True)
    assert (network.ice.peers, attacker.moves, len(network.sent)) == ({A: victim}, [], 1)
    network.ice.remove(victim.session)
    attacker.check(A, nominate=True)
    assert network.ice.peers == {A: attacker}


def test_nothing_grows() -> None:
    network = Network()
    client = Client(network)
    client.check(A, nominate=True)
    for port in range(3 * CHECKS_PER_SECOND):
        client.check((B[0], port + 1))
    assert len(network.ice.peers) == MAX_ADDRESSES
    assert A in network.ice.peers
    assert len(network.sent) <= 1 + 2 * CHECKS_PER_SECOND  # a second may have turned meanwhile
    network.ice.remove(client.session)
    assert network.ice.peers == {}
    client.check(C)
    assert network.ice.peers == {}


def test_silence_ends_consent() -> None:
    network = Network()
    client = Client(network)
    assert (client.session.consents(45.0), client.session.consents(45.1)) == (True, False)
