"""How the controller reaches the HTTP of bridge nodes."""

import aiohttp

from controller.config.model import BridgeConfig, LocalNodesConfig
from webrtc.shared.control_tls import client_context


def node_session(config: BridgeConfig) -> aiohttp.ClientSession:
    """Of no limit: each node takes one connection for good, and displays may all come at one moment."""
    remote = () if isinstance(config.nodes, LocalNodesConfig) else config.nodes
    secrets = {each.value for each in (config.registration, *(node.secret for node in remote)) if each is not None}
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, ssl=client_context(secrets)),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
    )
