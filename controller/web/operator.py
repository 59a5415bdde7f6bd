"""For operators at a shell of this machine: nodes, the clock, and what they changed in the database beside us.

Served on the socket of `controller/operator/socket.py` alone, which only operators may open; so nobody logs in here.
"""

import pwd
import socket
import struct

from aiohttp import web

from controller.changes import ChangeKind
from controller.clock.models import ClockJson
from controller.nodes.models import NodeDutyJson, NodesJson
from controller.web.call import SERVICES, Call
from controller.web.metrics import METRICS
from controller.web.middlewares import rim
from controller.web.nodes import change_duty, shown
from controller.web.route import Routes, add_routes
from rooms.audit import AuditEntry
from webrtc.shared.serving import plain_bodies

_CREDENTIALS = struct.Struct("3i")  # unix(7), struct ucred: process, user, group

routes = Routes("operator")


def operator_app(app: web.Application) -> web.Application:
    """What operators are served, beside `app`, which serves everybody."""
    own = web.Application(middlewares=[rim, plain_bodies])
    own[SERVICES], own[METRICS] = app[SERVICES], app[METRICS]
    add_routes(own, routes.all)
    return own


@routes("GET", "/nodes", public=True)
async def list_nodes(call: Call) -> NodesJson:
    """All bridge nodes and their load."""
    return shown(call)


@routes("PUT", "/nodes/{node}", public=True, problems=(404, 503))
async def set_node_duty(call: Call, body: NodeDutyJson) -> None:
    """Drain a node, or take it back into use."""
    await change_duty(call, body, actor=f"operator {_user(call.request)}")


@routes("POST", "/accounts/{account}/changed", public=True)
async def announce_account(call: Call) -> None:
    """`nhipcau account` or `token` has changed it in the database: what it gave and no longer gives ends now."""
    call.changed(ChangeKind.ACCOUNT, call.path("account"))


@routes("POST", "/clock/accept", public=True)
async def accept_clock(call: Call) -> ClockJson:
    """Say that the clock is right: what time alone was not allowed to do is done now."""
    actor = f"operator {_user(call.request)}"
    was_held = call.services.clock_watch.accept(actor)
    if was_held:
        await call.services.store.audit.add(
            AuditEntry(
                at=call.services.clock(), actor=actor, action="clock.accept", object_kind="clock", object_id="clock"
            )
        )
    return ClockJson(now=call.services.clock(), was_held=was_held)


def _user(request: web.Request) -> str:
    """Who holds the other end, as the kernel knows it."""
    end = request.get_extra_info("socket")
    _, user, _ = _CREDENTIALS.unpack(end.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size))
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return str(user)
