"""Two of our DTLS transports, joined back to back, and a bare client for a node's socket."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from webrtc.transport.dtls import Certificate, DtlsTransport
from webrtc.transport.srtp import SrtpKeys


@dataclass(slots=True)
class Side:
    transport: DtlsTransport
    receiving: SrtpKeys
    sending: SrtpKeys


@asynccontextmanager
async def associated() -> AsyncIterator[tuple[Side, Side]]:
    """A DTLS client and a DTLS server after their handshake."""
    certificates = Certificate(), Certificate()
    client = DtlsTransport(certificate=certificates[0], send=lambda datagram: server.receive(datagram))
    server = DtlsTransport(certificate=certificates[1], send=client.receive)
    try:
        ends = await asyncio.gather(
            client.connect(role="client", fingerprints=[("sha-256", certificates[1].fingerprint)]),
            server.connect(role="server", fingerprints=[("sha-256", certificates[0].fingerprint)]),
        )
        yield Side(client, *ends[0]), Side(server, *ends[1])
    finally:
        await client.close()
        await server.close()
