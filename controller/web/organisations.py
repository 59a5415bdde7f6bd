"""Schools and departments, and the schools' passwords at the broker."""

from dataclasses import replace

from controller.changes import ChangeKind
from rooms.people.account import Role, RoleAt
from rooms.people.rights import Right
from controller.web import render
from controller.web.call import Call
from controller.web.models.people import (
    MqttCornerJson,
    MqttLoginJson,
    NewOrganisationJson,
    OrganisationEditJson,
    OrganisationJson,
    OrganisationsJson,
    OrganisationsQuery,
)
from controller.web.paging import rest, wanted
from controller.web.route import Routes
from rooms.organisation_tree import OrganisationTree
from rooms.school import Organisation, OrganisationId, OrganisationKind, check_parent, ids_from

routes = Routes("organisations")


@routes("GET", "/organisations")
async def list_organisations(call: Call, query: OrganisationsQuery) -> OrganisationsJson:
    """All organisations: whom a lesson can be held with; or those that I administer."""
    among = call.rights.organisations(Right.ADMINISTER) if query.administered else None
    page = call.services.store.tree.page(wanted(query, (str, str)), among, query.kind)
    return OrganisationsJson(organisations=[render.organisation(each) for each in page.items], **rest(page))


@routes("POST", "/organisations", status=201, problems=(404, 409))
async def add_organisation(call: Call, body: NewOrganisationJson) -> OrganisationJson:
    """Add a school or a department below a department. At the top: operators, who become its administrator."""
    store = call.services.store
    parent = None if body.parent is None else OrganisationId(body.parent)
    call.rights.require_addition(parent)
    if parent is not None:
        check_parent(store.tree.get(parent))
    added = Organisation(
        id=OrganisationId(body.id) if body.id else free_id(store.tree, body.name),
        parent_id=parent,
        kind=body.kind,
        name=body.name,
        province=body.province,
    )
    await store.organisations.add(added)
    await call.record("organisation.add", "organisation", added.id, after=_summary(added))
    if parent is None:
        role = RoleAt(Role.ADMINISTRATOR, added.id)
        await call.services.people.accounts.grant(call.identity.account.id, role, actor=call.actor)
    await announce_school(call, added.id)
    call.changed(ChangeKind.ACCOUNT, call.actor)  # whose rights reach there, too
    return render.organisation(added)


@routes("PATCH", "/organisations/{organisation}", problems=(409,))
async def edit_organisation(call: Call, body: OrganisationEditJson) -> OrganisationJson:
    """Rename a school or department. Its id stays: devices and links have it."""
    id = OrganisationId(call.path("organisation"))
    call.rights.require(Right.ADMINISTER, id, "organisation", id)
    before = call.services.store.tree.get(id)
    after = replace(
        before,
        name=before.name if body.name is None else body.name,
        province=before.province if body.province is None else body.province,
    )
    if after != before:
        await call.services.store.organisations.rename(after)
        await call.record("organisation.edit", "organisation", id, before=_summary(before), after=_summary(after))
    return render.organisation(after)


@routes("GET", "/schools/{school}/mqtt")
async def get_mqtt(call: Call) -> MqttCornerJson:
    """Where the school's devices connect, and by which name."""
    school = _connected_school(call)
    corner = await call.services.broker.corner(school.school_id, asked_host=call.request.url.host or "")
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
    school = _connected_school(call)
    login = await call.services.broker.issue_password(school.school_id)
    await call.record("school.mqtt_password", "organisation", school.id, before={}, after={})
    return MqttLoginJson(username=login.username, password=login.password)


def _connected_school(call: Call) -> Organisation:
    """The school whose devices the person may connect. Raises `OrganisationNotFound`, `HiddenObject`, `Forbidden`."""
    id = OrganisationId(call.path("school"))
    call.rights.require(Right.CONNECT, id, "organisation", id)
    return call.services.store.tree.get(id)


def free_id(tree: OrganisationTree, name: str) -> OrganisationId:
    """An id for a new organisation, made of its name, that none has."""
    return next(each for each in ids_from(name) if each not in tree)


async def announce_school(call: Call, id: OrganisationId) -> None:
    """A new school has a corner of the broker; a department has none."""
    found = call.services.store.tree.get(id)
    if found.kind is OrganisationKind.SCHOOL:
        await call.services.broker.school_added(found.school_id)


def _summary(each: Organisation) -> dict[str, object]:
    return {"kind": each.kind.value, "name": each.name, "province": each.province, "parent": each.parent_id}
