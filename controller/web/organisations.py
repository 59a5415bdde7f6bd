"""Schools and departments, and the schools' passwords at the broker."""

from controller.people.account import Role, RoleAt
from controller.people.rights import Right
from controller.web import render
from controller.web.call import Call
from controller.web.models.people import (
    MqttCornerJson,
    MqttLoginJson,
    NewSchoolJson,
    OrganisationJson,
    OrganisationsJson,
)
from controller.web.route import Routes
from rooms.school import Organisation, OrganisationId, OrganisationKind

routes = Routes("organisations")


@routes("GET", "/organisations")
async def list_organisations(call: Call) -> OrganisationsJson:
    """All organisations: whom a lesson can be held with."""
    found = await call.services.store.organisations.list()
    return OrganisationsJson(organisations=[render.organisation(each) for each in found])


@routes("POST", "/schools", status=201, problems=(404, 409))
async def add_school(call: Call, body: NewSchoolJson) -> OrganisationJson:
    """Add a school. At the top of the tree, whoever adds it becomes its administrator."""
    parent = None if body.parent is None else OrganisationId(body.parent)
    call.rights.require_school_addition(parent)
    school = Organisation(
        id=OrganisationId(body.id),
        parent_id=parent,
        kind=OrganisationKind.SCHOOL,
        name=body.name,
        province=body.province,
    )
    await call.services.store.organisations.add(school)
    after = {"name": school.name, "province": school.province, "parent": parent}
    await call.record("organisation.add", "organisation", school.id, after=after)
    if parent is None:
        role = RoleAt(Role.ADMINISTRATOR, school.id)
        await call.services.people.accounts.grant(call.identity.account.id, role, actor=call.actor)
    await call.services.broker.school_added(school.school_id)
    return render.organisation(school)


@routes("GET", "/schools/{school}/mqtt")
async def get_mqtt(call: Call) -> MqttCornerJson:
    """Where the school's devices connect, and by which name."""
    school = await _connected_school(call)
    corner = call.services.broker.corner(school.school_id, asked_host=call.request.url.host or "")
    return MqttCornerJson(
        host=corner.address.host,
        port=corner.address.port,
        tls=corner.address.tls,
        reach=corner.address.reach,
        username=corner.username,
        discovery_prefix=corner.discovery_prefix,
        own_prefix=corner.own_prefix,
        ours=corner.ours,
        issued=corner.issued,
    )


@routes("POST", "/schools/{school}/mqtt-password", status=201, problems=(409, 503))
async def issue_mqtt_password(call: Call) -> MqttLoginJson:
    """A new broker password for the school's gear; the old one ends. It is shown this once."""
    school = await _connected_school(call)
    login = await call.services.broker.issue_password(school.school_id)
    await call.record("school.mqtt_password", "organisation", school.id, before={}, after={})
    return MqttLoginJson(username=login.username, password=login.password)


async def _connected_school(call: Call) -> Organisation:
    """The school whose devices the person may connect. Raises `OrganisationNotFound`, `HiddenObject`, `Forbidden`."""
    id = OrganisationId(call.path("school"))
    call.rights.require(Right.CONNECT, id, "organisation", id)
    return await call.services.store.organisations.get(id)
