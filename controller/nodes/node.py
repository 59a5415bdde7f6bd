"""One bridge node as the controller sees it: where it is, what it said last, and whether it lives.

When is a node dead? Moving a lesson costs every room a second without picture, and a wrong verdict makes a node that
serves lose them; a late one leaves rooms in the dark. So a node is heard, not guessed at:

- It says its load every second. After `SILENCE_S` without a word the connection is given up, and it is asked anew.
- It is *away* while that connection is down. Media may well go on: nothing is done but asking.
- It is *dead* once it has been away for `AWAY_S` and leaves a request unanswered for `ATTEMPT_S`; or once its machine
  has refused connections for `REFUSED_S`, which it does when the node is gone. Or the node says goodbye: it ends.

All of this is counted in our own time (`controller/processes/own_time.py`): while our loop was held up, no node
could be heard.

A node that is merely slow answers late, but it answers: any answer keeps it alive, however busy it is. One that takes
over `ATTEMPT_S` for a request has had no time for packets either, since one loop does both, and its rooms are better
off elsewhere. It does not flap: lessons never move back by themselves, and a node that returns gets new ones only after
`RECOVERY_S`. If all nodes fall silent at once the fault is ours, and with nowhere to go nothing is moved.
"""

import asyncio
import errno
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import StrEnum

import aiohttp
from pydantic import ValidationError

from controller.nodes.errors import NodeUnavailable
from controller.nodes.events import NODE_EVENT, BridgeChanged, BridgeClosed, LoadReport, Snapshot
from controller.nodes.placement import Candidate
from controller.processes.own_time import OwnTime
from webrtc.shared.exclusion import Exclusion
from webrtc.shared.ids import BridgeId
from webrtc.shared.policy import Policy
from webrtc.shared.state import BridgeState

logger = logging.getLogger(__name__)

SILENCE_S = 2.5
AWAY_S = 1.5
REFUSED_S = 0.5
ATTEMPT_S = 1.0
RECOVERY_S = 10.0
RECONNECT_DELAYS_S = (0.05, 0.1, 0.2, 0.2, 0.5, 1.0)
WRONG_SECRET_DELAY_S = 5.0
CALL_TIMEOUT = aiohttp.ClientTimeout(total=2)
CLOSE_TIMEOUT = aiohttp.ClientWSTimeout(ws_close=0.2)
EXPECTED_S = 10.0
"""How long until a node's smoothed load shows a lesson that was put on it."""


class NodeState(StrEnum):
    STARTING = "starting"  # not reached yet
    READY = "ready"
    DRAINING = "draining"  # reached; it is being emptied
    AWAY = "away"  # the connection is lost, media may go on
    DEAD = "dead"


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeView:
    """A node for whoever runs the installation."""

    name: str
    state: NodeState
    url: str | None
    bridges: int
    load: LoadReport


class Node:
    """Its address and secret, the bridges it reported, and how it is.

    `changed` is called with a bridge's id when the node said something of it, with "" when the node's state changed.
    """

    def __init__(
        self,
        name: str,
        secret: str,
        *,
        http: aiohttp.ClientSession,
        own_time: OwnTime,
        changed: Callable[["Node", str], None],
    ) -> None:
        self.name = name
        self.secret = secret
        self.url: str | None = None
        self.run: str | None = None  # another one after each start of the node's process; None: not reached yet
        self.bridges: dict[str, BridgeState] = {}
        self.load = LoadReport()
        self.state = NodeState.STARTING
        self._http = http
        self._own_time = own_time
        self._changed = changed
        self._strained_since: float | None = None
        # When bridges were opened here, in own time, and the connections that come to them.
        self._placed: deque[tuple[float, int]] = deque(maxlen=64)
        self._returned_at: float | None = None
        self._lost_at = 0.0
        self._heard_at = 0.0
        self._wrong_secret = self._distrusted = self._strange = False  # said already

    @property
    def connected(self) -> bool:
        return self.state in (NodeState.READY, NodeState.DRAINING)

    @property
    def dead(self) -> bool:
        return self.state is NodeState.DEAD

    def view(self) -> NodeView:
        return NodeView(name=self.name, state=self.state, url=self.url, bridges=len(self.bridges), load=self.load)

    def candidate(self, now: float) -> Candidate:
        """`now`: in own time."""
        coming = [(max(0.0, 1 - (now - at) / EXPECTED_S), connections) for at, connections in self._placed]
        return Candidate(
            name=self.name,
            cpu=self.load.cpu,
            expected=sum(share for share, _ in coming),
            bridges=len(self.bridges),
            connections=self.load.connections + round(sum(share * connections for share, connections in coming)),
            capacity=self.load.capacity,
            draining=self.load.draining,
            recovering=self._returned_at is not None and now - self._returned_at < RECOVERY_S,
            lag_s=self.load.lag_s,
            strained_s=0.0 if self._strained_since is None else now - self._strained_since,
        )

    # --- following it ---

    async def follow(self, url: str) -> None:
        """Take in the node's events until cancelled, connecting again whenever the connection ends."""
        self.url = url
        self._lost_at = self._now()
        attempt = 0
        while True:
            heard_before = self._heard_at
            try:
                if await self._listen(url) == aiohttp.WSCloseCode.GOING_AWAY:
                    self._move_to(NodeState.DEAD, "ends")
                else:
                    self._lose(self._now())
            except asyncio.CancelledError:
                if self.connected:
                    self.state = NodeState.AWAY  # we leave it; it is not lost
                raise
            except aiohttp.WSServerHandshakeError as error:
                self._answered(error.status)
            except aiohttp.ClientSSLError as error:
                self._distrust(error)
            except ValidationError as error:
                self._misunderstand(error)
            except (aiohttp.ClientError, OSError) as error:  # TimeoutError is an OSError
                logger.debug("node %s: %s", self.name, type(error).__name__)
                if self._heard_at > heard_before:
                    self._lose(self._heard_at if isinstance(error, TimeoutError) else self._now())
                else:
                    self._unanswered(refused=getattr(error, "errno", None) == errno.ECONNREFUSED)
            attempt = 0 if self._heard_at > heard_before else attempt + 1
            delays_s = RECONNECT_DELAYS_S[min(attempt, len(RECONNECT_DELAYS_S) - 1)]
            await asyncio.sleep(WRONG_SECRET_DELAY_S if self._wrong_secret else delays_s)

    async def _listen(self, url: str) -> int | None:
        """Take in events until the node ends the connection; its close code. Raises `TimeoutError` for silence."""
        async with (
            self._own_time.timeout(ATTEMPT_S) as silence,
            self._http.ws_connect(
                f"{url}/v1/events", headers=self._authorization, max_msg_size=16 << 20, timeout=CLOSE_TIMEOUT
            ) as events,
        ):
            while True:
                silence.extend(SILENCE_S)
                message = await events.receive()
                if message.type is not aiohttp.WSMsgType.TEXT:
                    return message.data if message.type is aiohttp.WSMsgType.CLOSE else None
                self._take(message.data)
                self._heard_at = self._now()

    def _take(self, text: str) -> None:
        match NODE_EVENT.validate_json(text):
            case Snapshot(node=run, load=load, bridges=bridges):
                self._weigh(load)
                gone = set(self.bridges) - {bridge.id for bridge in bridges}
                self.run, self.bridges = run, {bridge.id: bridge for bridge in bridges}
                self._wrong_secret = self._distrusted = False
                self._serve("connected")
                for each in (*gone, *self.bridges):
                    self._changed(self, each)
            case BridgeChanged(bridge=bridge):
                self.bridges[bridge.id] = bridge
                self._changed(self, bridge.id)
            case BridgeClosed(bridge=closed):
                self.bridges.pop(closed, None)
                self._changed(self, closed)
            case LoadReport() as load:
                self._weigh(load)
                if self.connected:
                    self._serve("is being drained" if load.draining else "takes lessons again")

    def _weigh(self, load: LoadReport) -> None:
        self.load = load
        now = self._now()
        strained = self.candidate(now).strained
        self._strained_since = (self._strained_since or now) if strained else None

    def _serve(self, why: str) -> None:
        self._move_to(NodeState.DRAINING if self.load.draining else NodeState.READY, why)

    # --- verdicts; the module's docstring gives the reasons ---

    def _lose(self, at: float) -> None:
        """The connection was there, and is gone since `at`."""
        self._lost_at = at
        if self.connected:
            self._move_to(NodeState.AWAY, "connection lost")

    def _unanswered(self, *, refused: bool) -> None:
        if self._now() - self._lost_at >= (REFUSED_S if refused else AWAY_S):
            self._move_to(NodeState.DEAD, "gone" if refused else "does not answer")

    def _answered(self, status: int) -> None:
        """It answers, though not with events. Above 500 that may be a proxy speaking for a node that is not there."""
        if status in (401, 403) and not self._wrong_secret:
            self._wrong_secret = True
            logger.warning(
                "node %s: does not accept our secret (%d); is it that of the node at %s?", self.name, status, self.url
            )
        if status >= 500 or self.run is not None:  # one that served before has lessons that wait for it
            self._unanswered(refused=False)
        else:
            self._lost_at = self._now()

    def _misunderstand(self, error: ValidationError) -> None:
        if not self._strange:
            self._strange = True
            where = ".".join(str(part) for part in error.errors(include_input=False)[0]["loc"])
            logger.warning("node %s: cannot be understood (%s); is it of another version?", self.name, where)
        if self.connected:
            self._lose(self._now())
        else:
            self._unanswered(refused=False)

    def _distrust(self, error: aiohttp.ClientSSLError) -> None:
        """Somebody is there, who cannot show by TLS that it knows our secret."""
        if not self._distrusted:
            self._distrusted = True
            logger.warning(
                "node %s: no TLS with %s (%s); does the node there have our secret, --control-tls, and this address?",
                *(self.name, self.url, error),
            )
        self._unanswered(refused=False)

    def died(self) -> None:
        """Its process is gone, and its bridges with it."""
        self.url = None
        self._move_to(NodeState.DEAD, "gone")

    def _move_to(self, state: NodeState, why: str) -> None:
        if state is self.state:
            return
        before, self.state = self.state, state
        logger.log(
            logging.WARNING if state in (NodeState.AWAY, NodeState.DEAD) else logging.INFO,
            "node %s: %s",
            self.name,
            why,
        )
        if before is NodeState.DEAD:
            self._returned_at = self._now()
        self._changed(self, "")
        if state is NodeState.DEAD:
            gone, self.bridges = list(self.bridges), {}
            for bridge in gone:
                self._changed(self, bridge)

    # --- asking it ---

    async def open(self, bridge: str, policy: Policy) -> None:
        """Have the bridge, led by this policy. Raises `NodeUnavailable`."""
        await self._call("PUT", f"/v1/bridges/{bridge}", asdict(policy))

    def opened(self, bridge: str) -> None:
        """Count on a bridge that it has not reported yet."""
        self.bridges.setdefault(bridge, BridgeState(id=BridgeId(bridge), participants=()))

    def expect_lesson(self, connections: int) -> None:
        """Take it for busier than it says, for a while: a lesson of so many connections comes."""
        self._placed.append((self._now(), connections))

    async def close(self, bridge: str) -> None:
        """Not have the bridge. Raises `NodeUnavailable`."""
        await self._call("DELETE", f"/v1/bridges/{bridge}")
        self.bridges.pop(bridge, None)

    async def exclude(self, exclusion: Exclusion) -> None:
        """Void the tokens that it covers, and end what was begun with them. Raises `NodeUnavailable`."""
        body = {
            "participant": exclusion.participant,
            "client": exclusion.client,
            "before": exclusion.before.timestamp(),
            "until": exclusion.until.timestamp(),
        }
        await self._call("POST", f"/v1/bridges/{exclusion.bridge}/exclusions", body)

    async def drain(self, on: bool) -> None:
        """Give its lessons away and take no more, or take them again. Raises `NodeUnavailable`."""
        await self._call("POST" if on else "DELETE", "/v1/drain")

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

    def _now(self) -> float:
        return self._own_time.now()
