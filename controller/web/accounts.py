"""Accounts of a school's people."""

from dataclasses import replace

from controller.people.account import RoleAt
from controller.people.rights import Right
from controller.web import render
from controller.web.call import Call
from controller.web.models.people import AccountsJson, AccountWithRolesJson, NewAccountJson
from controller.web.reading import organisations
from controller.web.route import Routes
from rooms.school import OrganisationId

routes = Routes("accounts")


@routes("GET", "/accounts")
async def list_accounts(call: Call) -> AccountsJson:
    """The accounts of the organisations that I administer, with their roles there."""
    mine = call.rights.organisations(Right.ADMINISTER)
    of = await organisations(call.services)
    found = await call.services.people.accounts.list(mine)
    shown = [replace(each, roles=tuple(one for one in each.roles if one.organisation_id in mine)) for each in found]
    return AccountsJson(accounts=[render.with_roles(each, of) for each in shown])


@routes("POST", "/accounts", status=201, problems=(404, 409))
async def add_account(call: Call, body: NewAccountJson) -> AccountWithRolesJson:
    """Add a person with one role at one organisation."""
    id = OrganisationId(body.organisation)
    call.rights.require(Right.ADMINISTER, id, "organisation", id)
    account = await call.services.people.accounts.add(
        name=body.name,
        display_name=body.display_name,
        password=body.password,
        language=body.language,
        roles=[RoleAt(body.role, id)],
        actor=call.actor,
    )
    return render.with_roles(account, await organisations(call.services))
