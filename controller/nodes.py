"""All bridge nodes: which of them holds which bridge, where a lesson is put, and how it leaves a node.

The controller alone decides who holds a bridge. A bridge that a node reports is taken over where nobody holds it (an
earlier controller placed it), and closed where another node does: that node was given up for dead, and came back.
A lesson moves as it is placed, by `ensure`, which its owner calls at each change: off a dead node at once; off a
draining one make before break, opened elsewhere first, closed here once its displays had time to go over.
"""

import asyncio
import hmac
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from weakref import WeakValueDictionary

import aiohttp

from controller.child import Child
from controller.config import BridgeConfig, LocalNodesConfig
from controller.errors import NodeNameTaken, NodeNotFound, NodeUnavailable, RegistrationRefused
from controller.local_nodes import local_secret, node_program
from controller.node import Node, NodeState, NodeView
from controller.placement import least_loaded
from controller.placement_file import Placement, PlacementFile
from controller.registration import LEASE_S, MAX_NODES, Lease, Registration
from webrtc.policy import Policy
from webrtc.state import BridgeState

logger = logging.getLogger(__name__)

GO_OVER_S = 5.0
"""How long a bridge stays open on the node that it left, for the displays that still play from there."""
START_S = 10.0
"""A local node that takes longer to start is taken for dead until it is there: its lessons need not wait for it."""


class Nodes:
    """Its owner runs `run()` in a task."""

    def __init__(self, config: BridgeConfig, *, data_dir: Path, http: aiohttp.ClientSession) -> None:
        self._config = config
        self._http = http
        self._directory = data_dir / "bridge"
        self._directory.mkdir(parents=True, exist_ok=True)
        self._file = PlacementFile(self._directory / "placements.json")
        self._listeners: list[Callable[[str], None]] = []
        self._nodes = {node.name: node for node in self._configured()}
        self._leases: dict[str, tuple[Lease, asyncio.Task[None]]] = {}
        self._policies: dict[str, Policy] = {}  # as last sent to the holder
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._opening: set[tuple[str, str]] = set()  # bridge and node: held by intent, not by accident
        self._leaving: dict[tuple[str, str], asyncio.Task[None]] = {}  # bridge and node: closed in a while
        self._tasks: asyncio.TaskGroup | None = None

    def on_change(self, listener: Callable[[str], None]) -> None:
        """`listener` is called with a bridge's id when it changed, with "" when a node's state did."""
        self._listeners.append(listener)

    @property
    def connected(self) -> bool:
        """Whether lessons can be placed now."""
        return any(node.connected for node in self._nodes.values())

    def views(self) -> list[NodeView]:
        """All nodes, for whoever runs the installation."""
        return [node.view() for _, node in sorted(self._nodes.items())]

    async def run(self) -> None:
        """Keep the local nodes running and follow all of them until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            try:
                match self._config.nodes:
                    case LocalNodesConfig() as local:
                        for index, node in enumerate(list(self._nodes.values())):
                            program = node_program(index, local, node.secret, self._config.turn)
                            child = Child(program, directory=self._directory)
                            tasks.create_task(child.run(), name=f"process of node {node.name}")
                            tasks.create_task(self._keep(node, child), name=f"node {node.name}")
                    case remote:
                        for settings in remote:
                            node = self._nodes[settings.name]
                            tasks.create_task(node.follow(settings.url), name=f"node {node.name}")
                if self._config.registration is not None:
                    for name, url in self._file.registered.items():
                        if name not in self._nodes:
                            self._lend(Registration(name=name, url=url))
                await asyncio.Event().wait()
            finally:
                self._tasks = None
                self._leaving.clear()

    # --- who holds a bridge ---

    def media_url(self, bridge: str) -> str | None:
        """Base URL of the node that holds `bridge`; None while there is none."""
        node = self._holder(bridge)
        return node.url if node else None

    def secret(self, bridge: str) -> str | None:
        """The key for tokens of `bridge`; None while no node holds it."""
        node = self._placed_on(bridge)
        return node.secret if node else None

    def epoch(self, bridge: str) -> str | None:
        """Which run of which node holds the bridge, or held it last; another one means that all must join anew.

        It outlives its node: until the bridge is elsewhere displays keep what they have, their cameras first of all.
        """
        placement = self._file.of(bridge)
        return placement.run if placement else None

    def state(self, bridge: str) -> BridgeState | None:
        node = self._placed_on(bridge)
        return node.bridges.get(bridge) if node else None

    def held(self) -> frozenset[str]:
        """Every bridge that some node reports."""
        return frozenset(bridge for node in self._nodes.values() for bridge in node.bridges)

    def _placed_on(self, bridge: str) -> Node | None:
        placement = self._file.of(bridge)
        return self._nodes.get(placement.node) if placement else None

    def _holder(self, bridge: str) -> Node | None:
        """The node that has the bridge, as far as we know; None where it must be placed (anew)."""
        placement, node = self._file.of(bridge), self._placed_on(bridge)
        if placement is None or node is None or node.dead or node.run not in (None, placement.run):
            return None
        return node if bridge in node.bridges or not node.connected else None

    # --- what is asked for ---

    async def ensure(self, bridge: str, policy: Policy) -> None:
        """Have `bridge`, led by `policy`, on a node that lives and stays. Raises `NodeUnavailable`."""
        async with self._turn(bridge):
            node = self._holder(bridge)
            if node is None:
                await self._open_on(self._best(), bridge, policy)
            elif node.state is NodeState.DRAINING and (other := self._best()).state is not NodeState.DRAINING:
                await self._open_on(other, bridge, policy)
                self._leave(bridge, node, after_s=GO_OVER_S)
            elif self._policies.get(bridge) != policy:
                await node.open(bridge, policy)
                self._policies[bridge] = policy

    async def close(self, bridge: str) -> None:
        """Not have `bridge` on any node that can be reached. Raises `NodeUnavailable`."""
        async with self._turn(bridge):
            for node in self._nodes.values():
                if bridge in node.bridges:
                    await node.close(bridge)
                    logger.info("bridge %s: closed on node %s", bridge, node.name)
            self._file.remove(bridge)
            self._policies.pop(bridge, None)

    async def remove(self, bridge: str, participant: str) -> None:
        """End a participant's connections to `bridge`. Raises `NodeUnavailable`."""
        node = self._holder(bridge)
        if node is not None:
            await node.remove(bridge, participant)

    async def drain(self, name: str, on: bool) -> None:
        """Have a node give its lessons away and take no more, or take them again.

        Raises `NodeNotFound`, `NodeUnavailable`.
        """
        node = self._nodes.get(name)
        if node is None:
            raise NodeNotFound(f"no node is called {name}")
        await node.drain(on)

    def register(self, registration: Registration, secret: str) -> float:
        """Know a node, or go on knowing it; how many seconds that lasts.

        Raises `RegistrationRefused`, `NodeNameTaken`; `NodeUnavailable` where we are not running.
        """
        expected = self._config.registration
        if expected is None or not hmac.compare_digest(secret.encode(), expected.value.encode()):
            raise RegistrationRefused("no nodes register here" if expected is None else "this is not our secret")
        node, (lease, following) = self._nodes.get(registration.name), self._leases.get(registration.name, (None, None))
        if lease is not None and lease.registration == registration:
            lease.renew()
        elif node is not None and (lease is None or node.connected):
            raise NodeNameTaken(f"another node is called {registration.name}")
        elif node is None and len(self._nodes) >= MAX_NODES:
            raise NodeNameTaken(f"there are {MAX_NODES} nodes already")
        else:
            if following is not None:
                following.cancel()  # the same node, started again at another address
            self._lend(registration)
        return LEASE_S

    # --- placing ---

    def _turn(self, bridge: str) -> asyncio.Lock:
        """One change of a bridge at a time."""
        return self._turns.setdefault(bridge, asyncio.Lock())

    def _best(self) -> Node:
        now = asyncio.get_running_loop().time()
        chosen = least_loaded(node.candidate(now) for node in self._nodes.values() if node.connected)
        if chosen is None:
            raise NodeUnavailable("no bridge node is connected")
        return self._nodes[chosen.name]

    async def _open_on(self, node: Node, bridge: str, policy: Policy) -> None:
        """Open the bridge on this node, which holds it from then on."""
        with self._intended(bridge, node):
            await self._finish_leaving(bridge, node)
            run = node.run
            node.expect_lesson()
            await node.open(bridge, policy)
            if run is None or node.run != run:
                raise NodeUnavailable(f"node {node.name} started anew while it opened bridge {bridge}")
            node.opened(bridge)
            self._file.put(bridge, Placement(node.name, run))
            self._policies[bridge] = policy
        logger.info("bridge %s: opened on node %s", bridge, node.name)
        self._tell(bridge)

    @contextmanager
    def _intended(self, bridge: str, node: Node) -> Iterator[None]:
        """What this node reports of the bridge meanwhile is no stray."""
        self._opening.add((bridge, node.name))
        try:
            yield
        finally:
            self._opening.discard((bridge, node.name))

    def _leave(self, bridge: str, node: Node, *, after_s: float) -> None:
        """Close the bridge on a node that does not hold it any more."""
        key = (bridge, node.name)
        if self._tasks is not None and key not in self._leaving:
            task = self._tasks.create_task(self._close_on(node, bridge, after_s), name=f"bridge {bridge} leaves")
            self._leaving[key] = task
            task.add_done_callback(lambda _: self._leaving.pop(key, None))

    async def _close_on(self, node: Node, bridge: str, after_s: float) -> None:
        await asyncio.sleep(after_s)
        with suppress(NodeUnavailable):  # it is closed when the node reports it again
            await node.close(bridge)
            logger.info("bridge %s: left node %s", bridge, node.name)

    async def _finish_leaving(self, bridge: str, node: Node) -> None:
        """It comes back to a node that it was just leaving: what is left of it there ends now."""
        leaving = self._leaving.get((bridge, node.name))
        if leaving is not None:
            leaving.cancel()
            await asyncio.wait([leaving])
        if bridge in node.bridges:
            await node.close(bridge)

    # --- what nodes say ---

    def _changed(self, node: Node, bridge: str) -> None:
        if not bridge:
            if node.dead:
                for each in self._file.on(node.name):
                    self._tell(each)
            return self._tell("")
        key, placement = (bridge, node.name), self._file.of(bridge)
        if key not in self._opening and key not in self._leaving:
            if bridge in node.bridges and node.run is not None and (placement is None or placement.node == node.name):
                self._file.put(bridge, Placement(node.name, node.run))
            elif bridge in node.bridges:
                logger.warning("bridge %s: closed on node %s, it is held elsewhere by now", bridge, node.name)
                self._leave(bridge, node, after_s=0)
            elif placement is not None and placement.node == node.name and bridge not in self._policies:
                self._file.remove(bridge)  # nobody here asked for it
        self._tell(bridge)

    def _tell(self, bridge: str) -> None:
        for listener in self._listeners:
            listener(bridge)

    # --- following them ---

    async def _keep(self, node: Node, child: Child) -> None:
        """Follow each process of a local node for as long as it lives."""
        generation = 0
        while True:
            try:
                async with asyncio.timeout(START_S):
                    ready = await child.ready(after=generation)
            except TimeoutError:
                node.died()
                ready = await child.ready(after=generation)
            generation = ready.generation
            async with asyncio.TaskGroup() as tasks:
                following = tasks.create_task(node.follow(str(ready.data["control"])), name=f"events of {node.name}")
                await child.lost(generation)
                following.cancel()
            node.died()

    def _lend(self, registration: Registration) -> None:
        if self._tasks is None or self._config.registration is None:
            raise NodeUnavailable("nodes are not followed now")
        node = Node(registration.name, self._config.registration.value, self._http, self._changed)
        lease = Lease(registration)
        self._nodes[node.name] = node
        self._file.register(node.name, registration.url)
        logger.info("node %s: registered at %s", node.name, registration.url)
        task = self._tasks.create_task(self._follow_registered(node, lease), name=f"node {node.name}")
        self._leases[node.name] = (lease, task)

    async def _follow_registered(self, node: Node, lease: Lease) -> None:
        async with asyncio.TaskGroup() as tasks:
            following = tasks.create_task(node.follow(lease.registration.url), name=f"events of {node.name}")
            await lease.over(lambda: node.connected)
            following.cancel()
        logger.warning("node %s: not heard of any more, forgotten", node.name)
        node.died()
        del self._nodes[node.name], self._leases[node.name]
        self._file.register(node.name, None)

    def _configured(self) -> list[Node]:
        match self._config.nodes:
            case LocalNodesConfig(count=count):
                secret = local_secret(self._directory)
                return [Node(f"local-{index}", secret, self._http, self._changed) for index in range(count)]
            case remote:
                return [Node(each.name, each.secret.value, self._http, self._changed) for each in remote]
