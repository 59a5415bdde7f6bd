"""What an operator at a shell (`nhipcau nodes`, `drain`, `account` …) asks the controller that runs on this machine."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from urllib.parse import quote, unquote

import aiohttp
from pydantic import TypeAdapter, ValidationError

from controller.clock.models import ClockJson
from controller.nodes.errors import NodeNotFound, NodeUnavailable
from controller.nodes.models import NodeJson, NodesJson
from controller.nodes.node import NodeState
from controller.operator.errors import ControllerAway, DutyChanged, OperatorRefused
from controller.operator.socket import NAME, short_path

LOOK_EVERY_S = 0.5
TIMEOUT = aiohttp.ClientTimeout(total=10)
HEADINGS = ("NODE", "STATE", "CPU", "LESSONS", "CONNECTIONS", "PACKETS/S", "ADDRESS")


_NODES: TypeAdapter[NodesJson] = TypeAdapter(NodesJson)
_PROBLEM: TypeAdapter[Mapping[str, object]] = TypeAdapter(Mapping[str, object])


class Operation:
    """The controller that keeps its data in `data_dir`, as an operator of this machine asks it."""

    def __init__(self, data_dir: Path, http: aiohttp.ClientSession) -> None:
        self._data_dir = data_dir
        self._http = http

    async def nodes(self) -> list[NodeJson]:
        """Raises `ControllerAway`, `OperatorRefused`."""
        return _NODES.validate_json(await self._ask("GET", "/nodes")).nodes

    async def drain(self, name: str, on: bool) -> None:
        """Raises `NodeNotFound`, `NodeUnavailable`, `ControllerAway`, `OperatorRefused`."""
        await self._ask("PUT", f"/nodes/{quote(name, safe='')}", {"draining": on})

    async def emptied(self, name: str, say: Callable[[str], None]) -> None:
        """Return once a node that is drained has no lesson, or is gone; `say` gets what is left, at each change.

        Raises `DutyChanged`, and as `nodes`.
        """
        was_draining, shown = False, ""
        while True:
            nodes = {node.name: node for node in await self.nodes()}
            node = nodes.get(name)
            if node is None or node.state is NodeState.DEAD:
                return
            if node.state is NodeState.DRAINING:
                was_draining = True
                if node.lessons == 0:
                    return
            elif node.state is NodeState.READY and was_draining:
                raise DutyChanged(f"node {name} is in use again")
            text = f"{name}: lessons left: {node.lessons}"
            if not any(each.state is NodeState.READY for each in nodes.values()):
                text += ", and no other node is ready to take them"
            if was_draining and text != shown:
                say(text)
                shown = text
            await asyncio.sleep(LOOK_EVERY_S)

    async def account_changed(self, account_id: str) -> None:
        """Have it look at what that account may do now. Raises `ControllerAway`, `OperatorRefused`."""
        await self._ask("POST", f"/accounts/{account_id}/changed")

    async def accept_clock(self) -> ClockJson:
        """Raises `ControllerAway`, `OperatorRefused`."""
        return ClockJson.model_validate_json(await self._ask("POST", "/clock/accept"))

    async def _ask(self, method: str, path: str, body: object = None) -> str:
        try:
            async with self._http.request(method, f"http://controller/api/v1{path}", json=body) as answer:
                text = await answer.text()
        except (aiohttp.ClientError, TimeoutError) as error:
            cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else None
            raise _unreachable(self._data_dir, cause) from error
        if answer.status == 404:
            raise NodeNotFound(f"no node is called {unquote(path.rpartition('/')[2])}; `nhipcau nodes` lists them")
        if answer.status >= 400:
            raise NodeUnavailable(_detail(text) or f"the controller answered {answer.status}")
        return text


@asynccontextmanager
async def operation(data_dir: Path) -> AsyncIterator[Operation]:
    """Raises `ControllerAway` where there is no such directory."""
    with ExitStack() as stack:
        try:
            path = stack.enter_context(short_path(data_dir))
        except OSError as error:
            raise _unreachable(data_dir, error) from error
        async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(path), timeout=TIMEOUT) as http:
            yield Operation(data_dir, http)


def _unreachable(data_dir: Path, error: BaseException | None) -> ControllerAway | OperatorRefused:
    if isinstance(error, PermissionError):
        return OperatorRefused(f"you may not open {data_dir / NAME}: be the controller's user, or root")
    return ControllerAway(f"no controller is running with {data_dir}")


def table(nodes: Sequence[NodeJson]) -> str:
    """For people, a line for each node."""
    return aligned(HEADINGS, [_row(node) for node in nodes])


def aligned(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Lines of columns, each as wide as its longest text."""
    lines = [headings, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(headings))]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)


def _row(node: NodeJson) -> tuple[str, ...]:
    return (
        node.name,
        node.state.value,
        f"{node.cpu:.0%}",
        str(node.lessons),
        f"{node.connections}/{node.capacity}" if node.capacity else str(node.connections),
        f"{node.packets_in_per_s} in, {node.packets_out_per_s} out",
        node.url or "-",
    )


def _detail(text: str) -> str:
    try:
        return str(_PROBLEM.validate_json(text).get("detail", ""))
    except ValidationError:
        return ""
