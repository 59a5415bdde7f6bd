"""A network cable to the controller that can be pulled: a TCP relay that a page connects through."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit


class Cable:
    """`url` leads where the original one does, while the cable is plugged in."""

    def __init__(self, url: str) -> None:
        self._target = urlsplit(url)
        self._plugged = True
        self._links: set[asyncio.StreamWriter] = set()
        self.url = ""

    def pull(self) -> None:
        """Every connection ends, and new ones get nowhere."""
        self._plugged = False
        for writer in self._links:
            writer.transport.abort()

    def plug_in(self) -> None:
        self._plugged = True

    async def relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._plugged:
            writer.transport.abort()
            return
        there_reader, there_writer = await asyncio.open_connection(self._target.hostname, self._target.port)
        both = {writer, there_writer}
        self._links |= both
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._carry(reader, there_writer), name="to the controller")
                tasks.create_task(self._carry(there_reader, writer), name="from the controller")
        finally:
            self._links -= both
            for each in both:
                each.transport.abort()

    @staticmethod
    async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(1 << 16):
                writer.write(data)
                await writer.drain()
        writer.transport.abort()


@asynccontextmanager
async def cable(url: str) -> AsyncIterator[Cable]:
    """A cable to the HTTP server at `url`."""
    cable = Cable(url)
    server = await asyncio.start_server(cable.relay, "127.0.0.1", 0)
    cable.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield cable
    finally:
        cable.pull()
        server.close()
        await server.wait_closed()
