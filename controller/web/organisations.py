"""Schools and departments, and the schools' passwords at the broker."""

from dataclasses import replace

from controller.changes import ChangeKind
from rooms.people.account import Role, RoleAt
from rooms.people.rights import Right
from controller.broker.school_logins import MqttCorner, MqttLogin
from controller.views.organisation_json import OrganisationJson, OrganisationsJson
from controller.web.call import Call
from controller.web.models.people import (
    NewOrganisationJson,
    OrganisationEditJson,
)
from controller.web.route import Routes
from rooms.school import Organisation, OrganisationId, OrganisationKind, check_parent, ids_from
from store.store import Store

routes = Routes("organisations")


@routes("GET", "/organisations")
async def list_organisations(call: Call) -> OrganisationsJson:
    """All organisations: whom a lesson can be held with."""
    found = await call.services.store.organisations.list()
    return OrganisationsJson(organisations=[OrganisationJson.of(each) for each in found])


@routes("POST", "/organisations", status=201, problems=(404, 409))
async def add_organisation(call: Call, body: NewOrganisationJson) -> OrganisationJson:
    """Add a school or a department below a department. At the top: operators, who become its administrator."""
    store = call.services.store
    parent = None if body.parent is None else OrganisationId(body.parent)
    call.rights.require_addition(parent)
    if parent is not None:
        check_parent(await store.organisations.get(parent))
    added = Organisation(
        id=OrganisationId(body.id) if body.id else await free_id(store, body.name),
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
    return OrganisationJson.of(added)


@routes("PATCH", "/organisations/{organisation}", problems=(409,))
async def edit_organisation(call: Call, body: OrganisationEditJson) -> OrganisationJson:
    """Rename a school or department. Its id stays: devices and links have it."""
    id = OrganisationId(call.path("organisation"))
    call.rights.require(Right.ADMINISTER, id, "organisation", id)
    before = await call.services.store.organisations.get(id)
    after = replace(
        before,
        name=before.name if body.name is None else body.name,
        province=before.province if body.province is None else body.province,
    )
    if after != before:
        await call.services.store.organisations.rename(after)
        await call.record("organisation.edit", "organisation", id, before=_summary(before), after=_summary(after))
    return OrganisationJson.of(after)


@routes("GET", "/schools/{school}/mqtt")
async def get_mqtt(call: Call) -> MqttCorner:
    """Where the school's devices connect, and by which name."""
    school = await _connected_school(call)
    return await call.services.broker.corner(school.school_id, asked_host=call.request.url.host or "")


@routes("POST", "/schools/{school}/mqtt-password", status=201, problems=(409, 503))
async def issue_mqtt_password(call: Call) -> MqttLogin:
    """A new broker password for the school's gear; the old one ends. It is shown this once."""
    school = await _connected_school(call)
    issued = await call.services.broker.issue_password(school.school_id)
    await call.record("school.mqtt_password", "organisation", school.id, before={}, after={})
    return issued


async def _connected_school(call: Call) -> Organisation:
    """The school whose devices the person may connect. Raises `OrganisationNotFound`, `HiddenObject`, `Forbidden`."""
    id = OrganisationId(call.path("school"))
    call.rights.require(Right.CONNECT, id, "organisation", id)
    return await call.services.store.organisations.get(id)


async def free_id(store: Store, name: str) -> OrganisationId:
    """An id for a new organisation, made of its name, that none has."""
    taken = {each.id for each in await store.organisations.list()}
    return next(each for each in ids_from(name) if each not in taken)


async def announce_school(call: Call, id: OrganisationId) -> None:
    """A new school has a corner of the broker; a department has none."""
    found = await call.services.store.organisations.get(id)
    if found.kind is OrganisationKind.SCHOOL:
        await call.services.broker.school_added(found.school_id)


def _summary(each: Organisation) -> dict[str, object]:
    return {"kind": each.kind.value, "name": each.name, "province": each.province, "parent": each.parent_id}
