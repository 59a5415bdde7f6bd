"""The bridge nodes there are: started on this machine, named in the configuration, or come by themselves."""

import asyncio
import hmac
import logging
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path

import aiohttp

from controller.config.model import BridgeConfig, LocalNodesConfig
from controller.nodes.errors import NodeNameTaken, NodeNotFound, NodeUnavailable, RegistrationRefused
from controller.nodes.lease import LEASE_S, MAX_NODES, Lease, Registration, Terms
from controller.nodes.local import local_secret, node_program
from controller.nodes.node import Node, NodeView
from controller.nodes.placement_file import PlacementFile
from controller.processes.child import Child
from controller.processes.hung import Look, look_at
from controller.processes.own_time import OwnTime

logger = logging.getLogger(__name__)

MAKE_WAY_S = 3.0
"""A killed node starts so much later where others have taken its lessons: their first seconds need the cores more."""
START_S = 10.0
"""A local node that takes longer to start is taken for dead until it is there: its lessons need not wait for it."""
HUNG_S = 10.0
"""A local node that has been dead for so long, and whose process stands still, is ended, and starts anew."""
BUSY_S = 60.0
"""The same where its process works, though it answers nobody."""
APART_S = 20.0
"""So long after one node was ended no other one is: whatever the reason, not all lessons go at once."""


class Fleet:
    """`nodes`: by name. `changed`: as a node calls it."""

    def __init__(
        self,
        config: BridgeConfig,
        *,
        directory: Path,
        file: PlacementFile,
        http: aiohttp.ClientSession,
        own_time: OwnTime,
        changed: Callable[[Node, str], None],
    ) -> None:
        self._config = config
        self._directory = directory
        self._file = file
        self._http = http
        self._own_time = own_time
        self._ended_at = float("-inf")  # when a node that hung was ended
        self._changed = changed
        self._leases: dict[str, tuple[Lease, asyncio.Task[None]]] = {}
        self._tasks: asyncio.TaskGroup | None = None
        self._configured = self._make_configured()
        self.nodes = {node.name: node for node in (*self._make_registered(), *self._configured)}

    def views(self) -> list[NodeView]:
        """All nodes, for whoever runs the installation."""
        return [node.view() for _, node in sorted(self.nodes.items())]

    async def run(self) -> None:
        """Keep the local nodes running and follow all of them until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            try:
                self._follow_configured(tasks)
                for name, url in self._file.registered.items():
                    node = self.nodes.get(name)
                    if node is not None and node not in self._configured:
                        self._lend(node, Registration(name=name, url=url))
                await asyncio.Event().wait()
            finally:
                self._tasks = None

    def _follow_configured(self, tasks: asyncio.TaskGroup) -> None:
        match self._config.nodes:
            case LocalNodesConfig() as local:
                for index, node in enumerate(self._configured):
                    program = node_program(index, local, node.secret, self._config.turn)
                    make_way_s = partial(self._make_way_s, node)
                    child = Child(
                        program,
                        directory=self._directory,
                        restart_after_s=make_way_s,
                        timeout=self._own_time.timeout,
                    )
                    tasks.create_task(child.run(), name=f"process of node {node.name}")
                    tasks.create_task(self._keep(node, child), name=f"node {node.name}")
            case remote:
                for node, settings in zip(self._configured, remote, strict=True):
                    tasks.create_task(node.follow(settings.url), name=f"node {node.name}")

    def _make_way_s(self, fallen: Node) -> float:
        return MAKE_WAY_S if any(node.connected for node in self.nodes.values() if node is not fallen) else 0.0

    async def drain(self, name: str, on: bool) -> None:
        """Have a node give its lessons away and take no more, or take them again.

        Raises `NodeNotFound`, `NodeUnavailable`.
        """
        node = self.nodes.get(name)
        if node is None:
            raise NodeNotFound(f"no node is called {name}")
        await node.drain(on)

    def register(self, registration: Registration, secret: str) -> Terms:
        """Know a node, or go on knowing it, on these terms.

        Raises `RegistrationRefused`, `NodeNameTaken`; `NodeUnavailable` where we are not running.
        """
        expected = self._config.registration
        if expected is None or not hmac.compare_digest(
            secret.encode(errors="surrogateescape"), expected.value.encode()
        ):
            raise RegistrationRefused("no nodes register here" if expected is None else "this is not our secret")
        node, (lease, following) = self.nodes.get(registration.name), self._leases.get(registration.name, (None, None))
        if lease is not None and lease.registration == registration:
            lease.renew()
        elif node is not None and (lease is None or node.connected):
            raise NodeNameTaken(f"another node is called {registration.name}")
        elif node is None and len(self.nodes) >= MAX_NODES:
            raise NodeNameTaken(f"there are {MAX_NODES} nodes already")
        else:
            if following is not None:
                following.cancel()  # the same node, started again at another address
            self._lend(self._node(registration.name, expected.value), registration)
        return Terms(lease_s=LEASE_S, turn=self._config.turn)

    async def _keep(self, node: Node, child: Child) -> None:
        """Follow each process of a local node for as long as it lives."""
        generation = 0
        while True:
            try:
                async with self._own_time.timeout(START_S):
                    ready = await child.ready(after=generation)
            except TimeoutError:
                node.died()
                ready = await child.ready(after=generation)
            generation = ready.generation
            async with asyncio.TaskGroup() as tasks:
                following = [
                    tasks.create_task(node.follow(str(ready.data["control"])), name=f"events of {node.name}"),
                    tasks.create_task(self._end_hung(node, child), name=f"end {node.name} should it hang"),
                ]
                await child.lost(generation)
                for task in following:
                    task.cancel()
            node.died()

    async def _end_hung(self, node: Node, child: Child) -> None:
        """Have a process that hangs start anew: it holds the port, and maybe all lessons. Return once it is ended.

        `node.dead` alone ends nothing: we may be what fails. The process itself is looked at, from a thread.
        """
        dead_since = looked_at = self._own_time.now()
        while True:
            await self._own_time.sleep(HUNG_S / 10)
            now = self._own_time.now()
            if not node.dead:
                dead_since = looked_at = now
            elif now - looked_at >= HUNG_S:
                looked_at = now
                hangs = await self._hangs(node, child, dead_for_s=now - dead_since)
                if hangs and now - self._ended_at >= APART_S:  # another one may have been ended while we looked
                    break
        logger.warning("node %s: its process does not answer, ended", node.name)
        self._ended_at = self._own_time.now()
        child.send_signal(signal.SIGKILL)

    async def _hangs(self, node: Node, child: Child, *, dead_for_s: float) -> bool:
        ready, url = child.current, node.url
        if ready is None or url is None:
            return False
        look = await look_at(ready.pid, url)
        if look is not Look.STANDS:
            logger.warning("node %s: does not answer us, but its process %s", node.name, look.value)
        return node.dead and (look is Look.STANDS or (look is Look.WORKS and dead_for_s >= BUSY_S))

    def _lend(self, node: Node, registration: Registration) -> None:
        if self._tasks is None:
            raise NodeUnavailable("nodes are not followed now")
        lease = Lease(registration, self._own_time)
        self.nodes[node.name] = node
        self._file.register(node.name, registration.url)
        logger.info("node %s: registered at %s", node.name, registration.url)
        task = self._tasks.create_task(self._follow_registered(node, lease), name=f"node {node.name}")
        self._leases[node.name] = (lease, task)

    async def _follow_registered(self, node: Node, lease: Lease) -> None:
        async with asyncio.TaskGroup() as tasks:
            following = tasks.create_task(node.follow(lease.registration.url), name=f"events of {node.name}")
            # Until a lesson is elsewhere displays keep what they have: it may be we who are cut off from the node.
            await lease.over(lambda: node.connected or bool(self._file.on(node.name)))
            following.cancel()
        logger.warning("node %s: not heard of any more, forgotten", node.name)
        node.died()
        if self.nodes.get(node.name) is node:
            del self.nodes[node.name], self._leases[node.name]
            self._file.register(node.name, None)
            self._changed(node, "")

    def _make_registered(self) -> list[Node]:
        """Those that an earlier controller knew."""
        secret = self._config.registration
        return [self._node(name, secret.value) for name in self._file.registered] if secret else []

    def _node(self, name: str, secret: str) -> Node:
        return Node(name, secret, http=self._http, own_time=self._own_time, changed=self._changed)

    def _make_configured(self) -> list[Node]:
        match self._config.nodes:
            case LocalNodesConfig(count=count):
                secret = local_secret(self._directory)
                return [self._node(f"local-{index}", secret) for index in range(count)]
            case remote:
                return [self._node(each.name, each.secret.value) for each in remote]
