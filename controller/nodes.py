"""Bridge nodes as the controller sees them: where they are, which bridges they hold, where a lesson's bridge is put.

A node reports its bridges over a WebSocket; what it reported last stands while the connection is away, because media go
on without us. A local node that died takes its bridges with it, and they are opened anew on the next one.
"""

import asyncio
import logging
import secrets
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Literal

import aiohttp
import ifaddr
from pydantic import BaseModel, TypeAdapter, ValidationError

from controller.child import Child, ChildProgram
from controller.config import BridgeConfig, LocalNodesConfig
from controller.errors import NodeUnavailable
from webrtc.policy import Policy
from webrtc.state import BridgeState

logger = logging.getLogger(__name__)

RECONNECT_DELAYS_S = (0.05, 0.1, 0.2, 0.5, 1.0)
CALL_TIMEOUT = aiohttp.ClientTimeout(total=5)
SILENCE_S = 10.0
"""A node that says nothing for this long, pings included, is connected to anew."""


class Snapshot(BaseModel):
    """Everything a node holds, sent first on each connection."""

    type: Literal["snapshot"]
    node: str
    bridges: list[BridgeState]


class BridgeChanged(BaseModel):
    """One bridge as it is now."""

    type: Literal["bridge"]
    bridge: BridgeState


class BridgeClosed(BaseModel):
    """One bridge is no more."""

    type: Literal["closed"]
    bridge: str


NODE_EVENT: TypeAdapter[Snapshot | BridgeChanged | BridgeClosed] = TypeAdapter(Snapshot | BridgeChanged | BridgeClosed)


class Node:
    """One bridge node: its address and secret while it has any, and the bridges it reported."""

    def __init__(self, name: str, secret: str, http: aiohttp.ClientSession, changed: Callable[[str], None]) -> None:
        self.name = name
        self.secret = secret
        self.url: str | None = None
        self.id: str | None = None  # another one after each start of the node's process
        self.connected = False
        self.bridges: dict[str, BridgeState] = {}
        self._http = http
        self._changed = changed

    @property
    def load(self) -> int:
        """Participants it carries."""
        return sum(len(bridge.participants) for bridge in self.bridges.values())

    async def follow(self, url: str) -> None:
        """Take in the node's events until cancelled, connecting again whenever the connection ends."""
        self.url = url
        attempt = 0
        while True:
            try:
                async with self._http.ws_connect(
                    f"{url}/v1/events", headers=self._authorization, heartbeat=SILENCE_S / 2, max_msg_size=16 << 20
                ) as events:
                    async for message in events:
                        if message.type is not aiohttp.WSMsgType.TEXT:
                            break
                        self._take(message.data)
                        attempt = 0
            except (aiohttp.ClientError, OSError, ValidationError) as error:  # TimeoutError is an OSError
                logger.debug("node %s: %s", self.name, type(error).__name__)
            except asyncio.CancelledError:
                self.connected = False  # we leave it; it is not lost
                raise
            self._away()
            await asyncio.sleep(RECONNECT_DELAYS_S[min(attempt, len(RECONNECT_DELAYS_S) - 1)])
            attempt += 1

    def _take(self, text: str) -> None:
        match NODE_EVENT.validate_json(text):
            case Snapshot(node=id, bridges=bridges):
                gone = set(self.bridges) - {bridge.id for bridge in bridges}
                self.id, self.bridges = id, {bridge.id: bridge for bridge in bridges}
                if not self.connected:
                    self.connected = True
                    logger.info("node %s: connected", self.name)
                for each in (*gone, *self.bridges):
                    self._changed(each)
                self._changed("")
            case BridgeChanged(bridge=bridge):
                self.bridges[bridge.id] = bridge
                self._changed(bridge.id)
            case BridgeClosed(bridge=closed):
                self.bridges.pop(closed, None)
                self._changed(closed)

    def _away(self) -> None:
        if self.connected:
            self.connected = False
            logger.warning("node %s: connection lost", self.name)
            self._changed("")

    def died(self) -> None:
        """Its process is gone, and its bridges with it."""
        gone, self.bridges, self.id, self.url = list(self.bridges), {}, None, None
        for each in gone:
            self._changed(each)

    async def open(self, bridge: str, policy: Policy) -> None:
        """Have the bridge, led by this policy. Raises `NodeUnavailable`."""
        await self._call("PUT", f"/v1/bridges/{bridge}", asdict(policy))

    async def close(self, bridge: str) -> None:
        """Not have the bridge. Raises `NodeUnavailable`."""
        await self._call("DELETE", f"/v1/bridges/{bridge}")
        self.bridges.pop(bridge, None)

    async def remove(self, bridge: str, participant: str) -> None:
        """End a participant's connections. Raises `NodeUnavailable`."""
        await self._call("DELETE", f"/v1/bridges/{bridge}/participants/{participant}")

    async def _call(self, method: str, path: str, body: object = None) -> None:
        if self.url is None:
            raise NodeUnavailable(f"node {self.name} is not running")
        try:
            async with self._http.request(
                method, self.url + path, json=body, headers=self._authorization, timeout=CALL_TIMEOUT
            ) as response:
                if response.status >= 400:
                    raise NodeUnavailable(f"node {self.name} answered {response.status} to {method} {path}")
        except (aiohttp.ClientError, TimeoutError) as error:
            raise NodeUnavailable(f"node {self.name} does not answer") from error

    @property
    def _authorization(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.secret}"}


class Nodes:
    """All nodes, and which of them holds which bridge."""

    def __init__(self, config: BridgeConfig, *, data_dir: Path, http: aiohttp.ClientSession) -> None:
        self._config = config.nodes
        self._directory = data_dir / "bridge"
        self._listeners: list[Callable[[str], None]] = []
        self._placed: dict[str, Node] = {}
        self._nodes = self._make(http)

    def on_change(self, listener: Callable[[str], None]) -> None:
        """`listener` is called with a bridge's id when it changed, with "" when a node came or went."""
        self._listeners.append(listener)

    @property
    def connected(self) -> bool:
        """Whether lessons can be placed now."""
        return any(node.connected for node in self._nodes)

    async def run(self) -> None:
        """Keep the local nodes running and follow all of them until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            match self._config:
                case LocalNodesConfig():
                    for index, node in enumerate(self._nodes):
                        child = Child(self._program(index, node, self._config), directory=self._directory)
                        tasks.create_task(child.run(), name=f"process of node {node.name}")
                        tasks.create_task(self._keep(node, child), name=f"node {node.name}")
                case remote:
                    for node, settings in zip(self._nodes, remote, strict=True):
                        tasks.create_task(node.follow(settings.url), name=f"node {node.name}")

    def media_url(self, bridge: str) -> str | None:
        """Base URL of the node that holds `bridge`; None while there is none."""
        node = self._holder(bridge)
        return node.url if node else None

    def secret(self, bridge: str) -> str | None:
        """The key for tokens of `bridge`; None while no node holds it."""
        node = self._holder(bridge)
        return node.secret if node else None

    def epoch(self, bridge: str) -> str | None:
        """Which run of which node holds the bridge; another one means that all must join anew."""
        node = self._holder(bridge)
        return node.id if node else None

    def state(self, bridge: str) -> BridgeState | None:
        node = self._holder(bridge)
        return node.bridges.get(bridge) if node else None

    def held(self) -> frozenset[str]:
        """Every bridge that some node reports."""
        return frozenset(bridge for node in self._nodes for bridge in node.bridges)

    async def ensure(self, bridge: str, policy: Policy) -> None:
        """Have `bridge` on some node, where it was if that lives. Raises `NodeUnavailable`."""
        if self._holder(bridge) is not None:
            return
        available = [node for node in self._nodes if node.connected]
        if not available:
            raise NodeUnavailable("no bridge node is connected")
        node = min(available, key=lambda each: each.load)
        id = node.id
        await node.open(bridge, policy)
        if node.id != id:
            raise NodeUnavailable(f"node {node.name} started anew while it opened bridge {bridge}")
        node.bridges.setdefault(bridge, BridgeState(id=bridge, participants=()))  # type: ignore[arg-type]
        logger.info("bridge %s: opened on node %s", bridge, node.name)
        self._tell(bridge)

    async def close(self, bridge: str) -> None:
        """Not have `bridge` on any node that can be reached. Raises `NodeUnavailable`."""
        for node in self._nodes:
            if bridge in node.bridges:
                await node.close(bridge)
                logger.info("bridge %s: closed on node %s", bridge, node.name)

    async def remove(self, bridge: str, participant: str) -> None:
        """End a participant's connections to `bridge`. Raises `NodeUnavailable`."""
        node = self._holder(bridge)
        if node is not None:
            await node.remove(bridge, participant)

    def _holder(self, bridge: str) -> Node | None:
        return next((node for node in self._nodes if bridge in node.bridges), None)

    def _tell(self, bridge: str) -> None:
        for listener in self._listeners:
            listener(bridge)

    async def _keep(self, node: Node, child: Child) -> None:
        """Follow each process of a local node for as long as it lives."""
        generation = 0
        while True:
            ready = await child.ready(after=generation)
            generation = ready.generation
            async with asyncio.TaskGroup() as tasks:
                following = tasks.create_task(node.follow(str(ready.data["control"])), name=f"events of {node.name}")
                await child.lost(generation)
                following.cancel()
            node.died()

    def _make(self, http: aiohttp.ClientSession) -> tuple[Node, ...]:
        match self._config:
            case LocalNodesConfig(count=count):
                secret = self._local_secret()
                return tuple(Node(f"local-{index}", secret, http, self._tell) for index in range(count))
            case remote:
                return tuple(Node(each.url, each.secret.value, http, self._tell) for each in remote)

    def _local_secret(self) -> str:
        """Kept in a file, so that nodes that outlive this controller still know the next one."""
        self._directory.mkdir(parents=True, exist_ok=True)
        path = self._directory / "secret"
        path.touch(mode=0o600)
        if not path.read_text():  # new, or we went down before it was written
            path.write_text(secrets.token_urlsafe(32))
        return path.read_text()

    @staticmethod
    def _program(index: int, node: Node, config: LocalNodesConfig) -> ChildProgram:
        port = config.udp_listen.port + index if config.udp_listen.port else 0
        host = f"[{config.udp_listen.host}]" if ":" in config.udp_listen.host else config.udp_listen.host
        advertised = [str(each) for each in config.advertise] or own_addresses(config.udp_listen.host)
        return ChildProgram(
            name=f"bridge-{index}",
            arguments=(
                *(sys.executable, "-m", "webrtc.node", "--control", "127.0.0.1:0", "--udp", f"{host}:{port}"),
                *(word for address in advertised for word in ("--advertise", address)),
            ),
            environment={"NHIPCAU_BRIDGE_SECRET": node.secret},
        )


def own_addresses(listen_host: str) -> list[str]:
    """The addresses under which others reach a socket that listens on `listen_host`.

    The machine's own IPv4 addresses where it listens on all, without loopback unless that is all there is.
    """
    if listen_host not in ("0.0.0.0", "::"):
        return [listen_host]
    found = [str(ip.ip) for adapter in ifaddr.get_adapters() for ip in adapter.ips if ip.is_IPv4]
    outside = [address for address in found if not address.startswith(("127.", "169.254."))]
    return outside or ["127.0.0.1"]
