"""Bridge nodes: they make themselves known, and whoever runs the installation sees them and drains them."""

from controller.nodes.lease import Registration
from controller.nodes.models import NodeDutyJson, NodeJson, NodeLeaseJson, NodeRegistrationJson, NodesJson
from controller.web.call import Call
from controller.web.route import Routes
from controller.web.shares import KNOWN

routes = Routes("nodes")


@routes("POST", "/nodes", public=True, problems=(403, 409, 503))
async def register_node(call: Call, body: NodeRegistrationJson) -> NodeLeaseJson:
    """A node makes itself known, with the secret of all that do as bearer token; again before the lease is over."""
    secret = call.request.headers.get("Authorization", "").removeprefix("Bearer ")
    terms = call.services.fleet.register(Registration(name=body.name, url=body.url), secret)
    call.request[KNOWN] = True
    return NodeLeaseJson.of(terms)


@routes("GET", "/nodes", problems=(403,))
async def list_nodes(call: Call) -> NodesJson:
    """All bridge nodes and their load, for operators."""
    call.rights.require_operation()
    return shown(call)


@routes("PUT", "/nodes/{node}", problems=(403, 404, 503))
async def set_node_duty(call: Call, body: NodeDutyJson) -> None:
    """Drain a node, so that it can be stopped: its lessons move, and no new ones come. Or take it back into use."""
    call.rights.require_operation()
    await change_duty(call, body, actor=call.actor)


def shown(call: Call) -> NodesJson:
    return NodesJson(nodes=[NodeJson.of(each) for each in call.services.fleet.views()])


async def change_duty(call: Call, body: NodeDutyJson, *, actor: str) -> None:
    """As `actor` has the right to. Raises `NodeNotFound`, `NodeUnavailable`."""
    name = call.path("node")
    await call.services.fleet.drain(name, body.draining)
    await call.record("node.drain" if body.draining else "node.use", "node", name, actor=actor)
