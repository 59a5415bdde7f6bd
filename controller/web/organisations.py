"""Schools and departments, and the schools' passwords at the broker."""

from controller.broker.school_logins import MqttCorner, MqttLogin
from controller.people.organisations import NewOrganisation
from controller.views.organisation_json import OrganisationJson, OrganisationsJson
from controller.web.call import Call
from controller.web.models.people import (
    NewOrganisationJson,
    OrganisationEditJson,
    OrganisationsQuery,
)
from controller.web.paging import rest, wanted
from controller.web.route import Routes
from rooms.people.rights import Right
from rooms.school import OrganisationId

routes = Routes("organisations")


@routes("GET", "/organisations")
async def list_organisations(call: Call, query: OrganisationsQuery) -> OrganisationsJson:
    """All organisations: whom a lesson can be held with; or those that I administer."""
    among = call.rights.organisations(Right.ADMINISTER) if query.administered else None
    page = call.services.store.tree.page(wanted(query, (str, str)), among, query.kind)
    return OrganisationsJson(organisations=[OrganisationJson.of(each) for each in page.items], **rest(page))


@routes("POST", "/organisations", status=201, problems=(404, 409))
async def add_organisation(call: Call, body: NewOrganisationJson) -> OrganisationJson:
    """Add a school or a department below a department. At the top: operators, who become its administrator."""
    new = NewOrganisation(
        id=OrganisationId(body.id) if body.id else None,
        parent=None if body.parent is None else OrganisationId(body.parent),
        kind=body.kind,
        name=body.name,
        province=body.province,
    )
    administrator = call.identity.account.id if new.parent is None else None
    added = await call.services.organisations.add(
        new, rights=call.rights, actor=call.actor, administrator=administrator
    )
    return OrganisationJson.of(added)


@routes("PATCH", "/organisations/{organisation}", problems=(409,))
async def edit_organisation(call: Call, body: OrganisationEditJson) -> OrganisationJson:
    """Rename a school or department. Its id stays: devices and links have it."""
    renamed = await call.services.organisations.rename(
        OrganisationId(call.path("organisation")),
        name=body.name,
        province=body.province,
        rights=call.rights,
        actor=call.actor,
    )
    return OrganisationJson.of(renamed)


@routes("GET", "/schools/{school}/mqtt")
async def get_mqtt(call: Call) -> MqttCorner:
    """Where the school's devices connect, and by which name."""
    id = OrganisationId(call.path("school"))
    call.rights.require(Right.CONNECT, id, "organisation", id)
    school = call.services.store.tree.get(id)
    return await call.services.broker.corner(school.school_id, asked_host=call.request.url.host or "")


@routes("POST", "/schools/{school}/mqtt-password", status=201, problems=(409, 503))
async def issue_mqtt_password(call: Call) -> MqttLogin:
    """A new broker password for the school's gear; the old one ends. It is shown this once."""
    id = OrganisationId(call.path("school"))
    return await call.services.broker.issue_password(id, rights=call.rights, actor=call.actor)
