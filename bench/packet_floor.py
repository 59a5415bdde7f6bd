"""What a packet costs that is protected once and given to `sendto` once, and nothing else: the floor of `bench.lesson`.

CPU of a process of its own on the node's core, as the lesson's node is measured: loopback charges the receiving half to
it. SRTP as browsers and nodes agree on it (RFC 3711, AES-128 in counter mode with an 80-bit tag).
"""

import argparse
import asyncio
import os
import secrets
import socket
import statistics
import struct
import sys
import time

from pylibsrtp import Policy, Session

from bench.core import on_core
from bench.forward import SERVER_CORE
from webrtc.transport.srtp import PacketBuffer, SrtpKeys, protect_rtp

SAMPLES, PACKETS = 25, 400  # the receiver is read between two samples, so that it never drops
RTP = struct.Struct("!BBHII")  # RFC 3550 5.1


async def floor_us(octets: int) -> float:
    """Microseconds of CPU per packet of `octets` of RTP, on the core on which nodes are measured."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.packet_floor", str(octets)),
        stdout=asyncio.subprocess.PIPE,
        preexec_fn=on_core(SERVER_CORE),
    )
    output, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError("the floor was not measured")
    return float(output)


def measured_us(octets: int) -> float:
    """The median of the samples, here and now."""
    policy = Policy(key=secrets.token_bytes(30), ssrc_type=Policy.SSRC_ANY_OUTBOUND)
    keys, buffer = SrtpKeys(Session(policy)), PacketBuffer()
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
    ):
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        receiver.bind(("127.0.0.1", 0))
        receiver.setblocking(False)
        samples = []
        for sample in range(SAMPLES):
            samples.append(_sample_us(keys, buffer, sender, receiver.getsockname(), sample * PACKETS, octets))
            _drain(receiver)
    return statistics.median(samples)


def _sample_us(
    keys: SrtpKeys, buffer: PacketBuffer, sender: socket.socket, to: tuple[str, int], first: int, octets: int
) -> float:
    payload = os.urandom(octets - RTP.size)
    began = time.process_time()
    for number in range(first, first + PACKETS):
        RTP.pack_into(buffer.view, 0, 0x80, 96, number & 0xFFFF, number, 1)
        buffer.view[RTP.size : octets] = payload
        buffer.length[0] = octets
        if protect_rtp(keys.context, buffer.memory, buffer.length):
            raise RuntimeError("libsrtp does not protect a packet")
        sender.sendto(buffer.view[: buffer.length[0]], to)
    return (time.process_time() - began) / PACKETS * 1e6


def _drain(receiver: socket.socket) -> None:
    while True:
        try:
            receiver.recv(2048)
        except BlockingIOError:
            return


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("octets", type=int)
    print(measured_us(parser.parse_args().octets))


if __name__ == "__main__":
    main()
