"""Which bridge node holds which bridge, where a lesson is put, and how it leaves a node.

The controller alone decides who holds a bridge. A bridge that a node reports is taken over where nobody holds it (an
earlier controller placed it), and closed where another node does: that node was given up for dead, and came back.
A lesson moves as it is placed, by `ensure`, which its owner calls at each change: off a dead node at once; off one that
drains or has too much to do make before break, opened elsewhere first, closed here once its displays had time to go.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from weakref import WeakValueDictionary

import aiohttp

from controller.config.model import BridgeConfig
from controller.nodes.errors import NodeUnavailable
from controller.nodes.fleet import Fleet
from controller.nodes.node import Node, NodeState
from controller.nodes.placement import Move, least_loaded
from controller.nodes.placement_file import Placement, PlacementFile
from controller.nodes.rebalancing import Relief, lesson_loads
from controller.processes.own_time import OwnTime
from webrtc.shared.exclusion import Exclusion
from webrtc.shared.ids import BridgeId, ClientId, ParticipantId
from webrtc.shared.policy import Policy
from webrtc.shared.state import BridgeState

logger = logging.getLogger(__name__)

TOKEN_LIFETIME = timedelta(minutes=5)
"""Of the tokens with which clients come to a bridge (`controller/displays/media_tokens.py`)."""
EXCLUDE_AGAIN_S = 0.5
WEIGH_EVERY_S = 1.0
"""How often it is looked for nodes that have too much to do; they report their load as often."""
SPREAD_S = 1.5
"""Displays go over to a new bridge within this time while the one before goes on, not all at the same moment."""
GO_OVER_S = 6.0
"""How long a bridge stays open on the node that it left, for the displays that still play from there."""


class Nodes:
    """Its owner runs `run()` in a task."""

    def __init__(
        self,
        config: BridgeConfig,
        *,
        data_dir: Path,
        http: aiohttp.ClientSession,
        own_time: OwnTime,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        directory = data_dir / "bridge"
        directory.mkdir(parents=True, exist_ok=True)
        self._file = PlacementFile(directory / "placements.json")
        self._own_time = own_time
        self.fleet = Fleet(
            config, directory=directory, file=self._file, http=http, own_time=own_time, changed=self._changed
        )
        self._clock = clock
        self._listeners: list[Callable[[str], None]] = []
        self._policies: dict[str, Policy] = {}  # as last sent to the holder
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._opening: set[tuple[str, str]] = set()  # bridge and node: held by intent, not by accident
        self._leaving: dict[tuple[str, str], asyncio.Task[None]] = {}  # bridge and node: closed in a while
        self._overlapping: set[str] = set()  # bridges that were opened elsewhere before they were closed
        self._relief = Relief()
        self._move: Move | None = None  # still to be made, at the bridge's next `ensure`
        self._tasks: asyncio.TaskGroup | None = None

    def on_change(self, listener: Callable[[str], None]) -> None:
        """`listener` is called with a bridge's id when it changed, with "" when a node's state did."""
        self._listeners.append(listener)

    @property
    def connected(self) -> bool:
        """Whether lessons can be placed now."""
        return any(node.connected for node in self.fleet.nodes.values())

    async def run(self) -> None:
        """Keep the local nodes running and follow all of them until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            relieving = tasks.create_task(self._relieve(), name="relieve nodes")
            try:
                await self.fleet.run()
            finally:
                relieving.cancel()
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
        return placement.run if placement and placement.node in self.fleet.nodes else None

    def spread_s(self, bridge: str) -> float:
        """Over how long displays are to spread their joining; 0 where nothing plays for them meanwhile."""
        return SPREAD_S if bridge in self._overlapping else 0.0

    def state(self, bridge: str) -> BridgeState | None:
        node = self._placed_on(bridge)
        return node.bridges.get(bridge) if node else None

    def states(self, bridge: str) -> list[BridgeState | None]:
        """The bridge, and the one before for as long as that goes on: rooms come over one by one."""
        now = self.state(bridge)
        held = [node.bridges.get(bridge) for node in self.fleet.nodes.values()]
        return [now, *(each for each in held if each is not None and each is not now)]

    def cpu(self, bridge: str) -> float:
        """Share of its core that the node of `bridge` uses, as far as we know."""
        node = self._placed_on(bridge)
        return node.load.cpu if node else 0.0

    def held(self) -> frozenset[str]:
        """Every bridge that some node reports."""
        return frozenset(bridge for node in self.fleet.nodes.values() for bridge in node.bridges)

    def _placed_on(self, bridge: str) -> Node | None:
        placement = self._file.of(bridge)
        return self.fleet.nodes.get(placement.node) if placement else None

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
                await self._open_on(self._best(policy), bridge, policy)
                self._overlapping.discard(bridge)
                self._tell(bridge)
            elif (other := self._better(bridge, node, policy)) is not None:
                await self._open_on(other, bridge, policy)
                self._leave(bridge, node, after_s=GO_OVER_S)
                self._overlapping.add(bridge)
                self._tell(bridge)
            elif self._policies.get(bridge) != policy:
                await node.open(bridge, policy)
                self._policies[bridge] = policy

    async def close(self, bridge: str) -> None:
        """Not have `bridge` on any node that can be reached. Raises `NodeUnavailable`."""
        async with self._turn(bridge):
            for node in list(self.fleet.nodes.values()):  # others may come meanwhile
                if bridge in node.bridges:
                    await node.close(bridge)
                    logger.info("bridge %s: closed on node %s", bridge, node.name)
            self._file.remove(bridge)
            self._policies.pop(bridge, None)
            self._overlapping.discard(bridge)

    def exclude(self, bridge: str, *, participant: str | None = None, client: str | None = None) -> None:
        """Void the tokens of `bridge` that were given until now, of these only, and end what was begun with them.

        `client`: with those named after it. A node that does not answer is asked again until they have expired.
        """
        now = self._clock()
        exclusion = Exclusion(
            bridge=BridgeId(bridge),
            participant=None if participant is None else ParticipantId(participant),
            client=None if client is None else ClientId(client),
            before=now,
            until=now + TOKEN_LIFETIME,
        )
        for node in self.fleet.nodes.values():
            if node.run is not None and self._tasks is not None:
                self._tasks.create_task(self._exclude_on(node, exclusion), name=f"bridge {bridge} excludes")

    async def _exclude_on(self, node: Node, exclusion: Exclusion) -> None:
        """Until it has taken it, or has started anew: what another run of it gave is void anyway."""
        run, expires = node.run, asyncio.get_running_loop().time() + TOKEN_LIFETIME.total_seconds()
        while node.run == run and asyncio.get_running_loop().time() < expires:
            try:
                return await node.exclude(exclusion)
            except NodeUnavailable:
                await asyncio.sleep(EXCLUDE_AGAIN_S)

    # --- placing ---

    def _turn(self, bridge: str) -> asyncio.Lock:
        """One change of a bridge at a time."""
        return self._turns.setdefault(bridge, asyncio.Lock())

    def _best(self, policy: Policy) -> Node:
        now = self._own_time.now()
        candidates = [node.candidate(now) for node in self.fleet.nodes.values() if node.connected]
        chosen = least_loaded(candidates, _connections(policy))
        if chosen is None:
            raise NodeUnavailable("no bridge node is connected")
        return self.fleet.nodes[chosen.name]

    def _better(self, bridge: str, node: Node, policy: Policy) -> Node | None:
        """Where the bridge goes from a node that drains or has too much to do; None: it stays."""
        if node.state is NodeState.DRAINING:
            best = self._best(policy)
            return None if best.state is NodeState.DRAINING else best
        move = self._move
        if move is None or move.bridge != bridge:
            return None
        self._move = None
        other = self.fleet.nodes.get(move.node)
        return other if other is not node and other is not None and other.state is NodeState.READY else None

    async def _relieve(self) -> None:
        """Have lessons leave nodes that have too much to do, for as long as there are such; until cancelled."""
        while True:
            await asyncio.sleep(WEIGH_EVERY_S)
            self._file.catch_up()
            now = self._own_time.now()
            ready = [node for node in self.fleet.nodes.values() if node.state is NodeState.READY]
            held = [each for node in ready for each in lesson_loads(node) if self._placed_on(each.bridge) is node]
            move = self._relief.next_move([node.candidate(now) for node in ready], held, now)
            node = self._placed_on(move.bridge) if move else None
            if move is not None and node is not None:
                load = f"{node.load.cpu:.0%} of its core, {node.load.lag_s * 1000:.0f} ms late"
                logger.warning("node %s: has too much to do (%s)", node.name, load)
                logger.info("bridge %s: to go from node %s to node %s", move.bridge, node.name, move.node)
                self._move = move
                self._tell(move.bridge)

    async def _open_on(self, node: Node, bridge: str, policy: Policy) -> None:
        """Open the bridge on this node, which holds it from then on."""
        with self._intended(bridge, node):
            await self._finish_leaving(bridge, node)
            run = node.run
            node.expect_lesson(_connections(policy))
            await node.open(bridge, policy)
            if run is None or node.run != run:
                raise NodeUnavailable(f"node {node.name} started anew while it opened bridge {bridge}")
            node.opened(bridge)
            self._file.put(bridge, Placement(node.name, run))
            self._policies[bridge] = policy
        logger.info("bridge %s: opened on node %s", bridge, node.name)

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


def _connections(policy: Policy) -> int:
    """Of the lesson's rooms: one display in each sends and receives."""
    return 2 * len(policy.order)
