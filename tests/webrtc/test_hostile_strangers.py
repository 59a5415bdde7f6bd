"""Datagrams of those who are no members, or pretend to be others: the lesson beside them does not notice."""

import random
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aioice import stun

from testing.webrtc.bare import KEYFRAME, bare_client, packet
from tests.webrtc.hostile import Beside, lesson_beside, mutated, rich_offer
from tests.webrtc.peers import LESSON
from webrtc.shared.ids import ClientId, ParticipantId
from webrtc.transport.dtls import Certificate
from webrtc.transport.ice import CHECKS_PER_SECOND, MAX_SOURCES, IceLite, IceSession
from webrtc.transport.path import Address, Path
from webrtc.transport.receive import ReceiveBuffer


class Stranger:
    """Somebody at an address of loopback of its own."""

    def __init__(self, beside: Beside, host: str) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((host, 0))
        self._socket.connect(("127.0.0.1", beside.here.plane.port))
        self._socket.setblocking(False)

    def send(self, datagram: bytes) -> None:
        self._socket.send(datagram)

    def answered(self) -> bool:
        try:
            return bool(self._socket.recv(2000))
        except BlockingIOError:
            return False

    def close(self) -> None:
        self._socket.close()


@asynccontextmanager
async def stranger_of(beside: Beside, host: str) -> AsyncIterator[Stranger]:
    stranger = Stranger(beside, host)
    try:
        yield stranger
    finally:
        stranger.close()


def a_check(ufrag: str, pwd: str) -> bytes:
    request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    request.attributes["USERNAME"] = f"{ufrag}:theirs"
    request.attributes["PRIORITY"] = 1
    request.attributes["ICE-CONTROLLING"] = 7
    request.attributes["USE-CANDIDATE"] = None
    request.add_message_integrity(pwd.encode())
    return bytes(request)


async def test_fuzzed_checks_open_nothing() -> None:
    chance = random.Random(1)
    async with lesson_beside() as beside:
        good = a_check("none", "a" * 24)
        refused = beside.here.plane.refused
        for host in range(2, 32):
            async with stranger_of(beside, f"127.0.0.{host}") as stranger:
                for _ in range(50):
                    stranger.send(mutated(chance, good) or b"\0")
                await beside.goes_on(1)  # which has the node take what was sent before
                assert not stranger.answered()
        assert beside.here.plane.refused >= refused + 30 * 50
        assert len(beside.here.plane.connections) == 2


async def test_what_strangers_send_goes_nowhere() -> None:
    chance = random.Random(2)
    async with lesson_beside() as beside, stranger_of(beside, "127.0.0.9") as stranger:
        refused = beside.here.plane.refused
        beginnings = [*range(20, 30), 63, 64, 127, *range(128, 140), 191, 192, 255]
        for number in range(1000):
            stranger.send(bytes((chance.choice(beginnings),)) + chance.randbytes(chance.randrange(1400)))
            if number % 50 == 0:
                await beside.goes_on(1)
        await beside.goes_on()
        assert beside.here.plane.refused == refused + 1000
        assert not stranger.answered()


async def test_packets_sent_again_come_once() -> None:
    """By a stranger, and by one who forges the sender's address: from the sender's own socket, as the node sees it."""
    async with lesson_beside() as beside, stranger_of(beside, "127.0.0.9") as stranger:
        seen: list[bytes] = []
        real = beside.sender.send

        def note(datagram: bytes) -> None:
            seen.append(datagram)
            real(datagram)

        beside.sender.send = note  # type: ignore[method-assign]
        await beside.goes_on(100)
        beside.sender.send = real  # type: ignore[method-assign]
        for number, datagram in enumerate(seen):
            stranger.send(datagram)
            real(datagram)
            if number % 20 == 0:
                await beside.goes_on(1)
        await beside.goes_on()


async def test_forged_packets_change_nothing() -> None:
    chance = random.Random(3)
    async with lesson_beside() as beside:
        for number in range(2000):
            forged = mutated(chance, packet(number & 0xFFFF, KEYFRAME)) + chance.randbytes(16)
            for victim in (beside.sender, beside.watcher):
                victim.send(bytes((0x80 | chance.randrange(64),)) + forged[1:])
            if number % 50 == 0:
                await beside.goes_on(1)
        await beside.goes_on()


async def test_forged_dtls_ends_no_association() -> None:
    """Alerts, handshakes and nonsense in the first epoch, as nobody has the keys of the second."""
    chance = random.Random(4)
    records = [
        bytes.fromhex("15 fefd 0000 0000 0000 00ff 0002 0228"),  # fatal: handshake failure
        bytes.fromhex("15 fefd 0000 0000 0000 0100 0002 0100"),  # close notify
        bytes.fromhex("14 fefd 0000 0000 0000 0101 0001 01"),
        bytes.fromhex("16 fefd 0000 0000 0000 0102 0018 0100 000c 0000 0000 0000 000c fefd") + bytes(10),
        bytes.fromhex("15 fefd 0001 0000 0000 0fff 0012") + bytes(18),
        bytes.fromhex("17 fefd 0001 0000 0000 0fff ffff") + bytes(1400),
    ]
    async with lesson_beside() as beside:
        for number in range(600):
            record = records[number % len(records)]
            record = record if number < len(records) * 4 else mutated(chance, record)
            for victim in (beside.sender, beside.watcher):
                victim.send(bytes((20 + number % 44,)) + record[1:] if number % 3 else record or b"\x16")
            if number % 20 == 0:
                await beside.goes_on(1)
        await beside.goes_on()
        assert all(connection.connected for connection in beside.here.plane.connections.values())


def test_checks_of_forged_senders_take_nothing_from_members() -> None:
    """A node answers so many strangers per second; those who are here are not counted among them."""
    answers: list[Address] = []
    ice = IceLite()
    session = IceSession(peer=_Nobody(), moved=lambda path: None, now=0.0)
    ice.add(session)
    good = a_check(session.credentials.ufrag, session.credentials.pwd)
    home = Path(lambda datagram, address: answers.append(address), ("10.0.0.1", 1))
    ice.receive(good, home)
    for number in range(2 * MAX_SOURCES):
        ice.receive(b"\0\1" + bytes(18), Path(home.sendto, (f"10.{number >> 8}.{number & 255}.2", 2)))
    for _ in range(CHECKS_PER_SECOND // 2):
        ice.receive(good, home)
    assert len(answers) == 1 + CHECKS_PER_SECOND // 2


class _Nobody:
    def receive_dtls(self, datagram: bytes) -> None: ...

    def receive_media(self, received: ReceiveBuffer, size: int, now: float) -> None: ...


async def test_nonsense_for_a_handshake_ends_that_connection_alone() -> None:
    chance = random.Random(5)
    certificate = Certificate()
    async with lesson_beside() as beside, bare_client(certificate) as client:
        plane = beside.here.plane
        text = rich_offer(certificate, "sendonly", ("audio",))
        connection = await plane.publish(LESSON, ParticipantId("c"), ClientId("hostile"), text)
        await client.move(connection, plane.port)  # ICE only
        hello = bytes.fromhex("16 feff 0000 0000 0000 0000 0036 0100 002a 0000 0000 0000 002a fefd") + bytes(40)
        for number in range(300):
            client.send(mutated(chance, hello) or b"\x16" if number % 2 else b"\x16" + chance.randbytes(200))
            if number % 20 == 0:
                await beside.goes_on(1)
        assert not connection.connected
