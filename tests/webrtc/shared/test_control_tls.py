"""TLS at a node's control interface: who knows its secret is sure of it, and nobody else can stand in its place."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web

from testing.webrtc.nodes import CONTROL, SECRET, node_process
from webrtc.shared.control_tls import client_context, server_context

OTHER = "another secret, long enough for a node as well"


@asynccontextmanager
async def serving(secret: str, *hosts: str) -> AsyncIterator[int]:
    """The port of an HTTPS server at 127.0.0.1 that knows `secret` and says it is `hosts`."""
    runner = web.AppRunner(web.Application(), shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=server_context(secret, hosts)).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


async def status_of(url: str, *secrets: str) -> int:
    """What one who believes in `secrets` gets. Raises `aiohttp.ClientConnectorCertificateError`."""
    connector = aiohttp.TCPConnector(ssl=client_context(secrets))
    async with (
        asyncio.timeout(20),
        aiohttp.ClientSession(connector=connector) as http,
        http.get(url, headers=CONTROL) as answer,
    ):
        return answer.status


async def test_node_is_known_by_its_secret_at_all_its_addresses() -> None:
    async with node_process("--control-tls", "--advertise", "127.0.0.2", "--control", "0.0.0.0:0") as remote:
        assert remote.node.url.startswith("https://")
        port = remote.node.url.rpartition(":")[2]
        for host in ("127.0.0.1", "127.0.0.2"):
            assert await status_of(f"https://{host}:{port}/v1/node", OTHER, SECRET) == 200
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await status_of(f"https://127.0.0.3:{port}/v1/node", SECRET)


@pytest.mark.parametrize("believed", [(), (OTHER,)])
async def test_who_does_not_know_the_secret_is_no_node(believed: tuple[str, ...]) -> None:
    async with serving(SECRET, "127.0.0.1") as port:
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await status_of(f"https://127.0.0.1:{port}/", *believed)


async def test_node_is_known_by_name() -> None:
    async with serving(SECRET, "localhost") as port:
        assert await status_of(f"https://localhost:{port}/", SECRET) == 404
