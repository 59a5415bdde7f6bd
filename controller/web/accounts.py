"""Accounts of an organisation's people, as its administrators see and change them.

What belongs to the whole person (password, logins, tokens, suspension) is for those who administer everything that the
person is; roles are for those who administer the organisation concerned.
"""

from controller.people.secret import new_password
from controller.views.account_json import (
    AccountsJson,
    AccountWithRolesJson,
    AddedAccountJson,
    GivenJson,
    LoginsJson,
    TokensJson,
    account_as_seen,
)
from controller.web.call import Call
from controller.web.models.paging import SearchQuery
from controller.web.models.people import (
    AccountEditJson,
    NewAccountJson,
    NewRoleJson,
    ResetJson,
    SuspensionJson,
)
from controller.web.paging import rest, wanted
from controller.web.route import Routes
from rooms.people.account import Account, AccountId, Role, RoleAt, TokenId
from rooms.people.errors import HiddenObject
from rooms.people.login_link import RESET_LIFE
from rooms.people.rights import Right
from rooms.school import OrganisationId

routes = Routes("accounts")


@routes("GET", "/accounts")
async def list_accounts(call: Call, query: SearchQuery) -> AccountsJson:
    """The accounts of the organisations that I administer, with their roles there."""
    mine, tree = call.rights.organisations(Right.ADMINISTER), call.services.store.tree
    part = wanted(query, (str, str))
    page = await call.services.people.accounts.page(part, None if len(mine) == len(tree) else mine)
    return AccountsJson(accounts=[account_as_seen(each, tree, call.rights) for each in page.items], **rest(page))


@routes("POST", "/accounts", status=201, problems=(404, 409))
async def add_account(call: Call, body: NewAccountJson) -> AddedAccountJson:
    """Add a person with one role at one organisation."""
    made = new_password() if body.password is None else None
    account = await call.services.people.accounts.add(
        name=body.name,
        display_name=body.display_name,
        password=made or body.password,
        given=True,
        language=body.language,
        roles=[RoleAt(body.role, OrganisationId(body.organisation))],
        rights=call.rights,
        actor=call.actor,
    )
    return AddedAccountJson(account=await _shown(call, account), password=made)


@routes("GET", "/accounts/{account}")
async def get_account(call: Call) -> AccountWithRolesJson:
    """One person's account."""
    return await _shown(call, await _visible(call))


@routes("PATCH", "/accounts/{account}")
async def edit_account(call: Call, body: AccountEditJson) -> AccountWithRolesJson:
    """Change how a person is called, or their language."""
    edit = call.services.people.accounts.edit
    changed = await edit(
        _id(call), display_name=body.display_name, language=body.language, rights=call.rights, actor=call.actor
    )
    return await _shown(call, changed)


@routes("POST", "/accounts/{account}/password")
async def reset_password(call: Call, body: ResetJson) -> GivenJson:
    """Let a person in who forgot the password, once; then they choose one of their own. Ends all their logins."""
    people = call.services.people
    if body.by == "password":
        password = new_password()
        await people.accounts.set_password(_id(call), password, rights=call.rights, actor=call.actor)
        return GivenJson(password=password)
    secret = await people.links.reset(_id(call), rights=call.rights, actor=call.actor)
    return GivenJson(link=f"/login#link={secret}", expires=call.services.clock() + RESET_LIFE)


@routes("PUT", "/accounts/{account}/suspended", problems=(409,))
async def suspend_account(call: Call, body: SuspensionJson) -> AccountWithRolesJson:
    """Let nobody in by this account, from now on and everywhere; or let the person in again."""
    accounts = call.services.people.accounts
    change = accounts.suspend if body.suspended else accounts.resume
    return await _shown(call, await change(_id(call), rights=call.rights, actor=call.actor))


@routes("POST", "/accounts/{account}/roles", problems=(404,))
async def grant_role(call: Call, body: NewRoleJson) -> AccountWithRolesJson:
    """Give a person one more role; where it is held already, nothing changes."""
    role = RoleAt(body.role, OrganisationId(body.organisation))
    grant = call.services.people.accounts.grant
    return await _shown(call, await grant(_id(call), role, rights=call.rights, actor=call.actor))


@routes("DELETE", "/accounts/{account}/roles/{organisation}/{role}", problems=(409,))
async def take_role(call: Call) -> None:
    """Take a role from a person; where it is not held, nothing changes."""
    name = call.path("role")
    if name not in set(Role):
        raise HiddenObject("role", name)
    role = RoleAt(Role(name), OrganisationId(call.path("organisation")))
    await call.services.people.accounts.take(_id(call), role, rights=call.rights, actor=call.actor)


@routes("GET", "/accounts/{account}/logins")
async def list_logins(call: Call) -> LoginsJson:
    """Where a person is logged in."""
    account = await _person(call)
    return LoginsJson.of(await call.services.people.logins.list(account.id), call.identity.login_id)


@routes("DELETE", "/accounts/{account}/logins")
async def end_logins(call: Call) -> None:
    """Log a person out everywhere."""
    await call.services.people.logins.end_all(_id(call), rights=call.rights, actor=call.actor)


@routes("GET", "/accounts/{account}/tokens")
async def list_tokens(call: Call) -> TokensJson:
    """The API tokens that have this person's rights."""
    account = await _person(call)
    return TokensJson(tokens=await call.services.people.tokens.list(account.id))


@routes("DELETE", "/accounts/{account}/tokens/{token}")
async def revoke_token(call: Call) -> None:
    """Revoke an API token."""
    id = TokenId(call.path("token"))
    await call.services.people.tokens.revoke(id, _id(call), rights=call.rights, actor=call.actor)


def _id(call: Call) -> AccountId:
    return AccountId(call.path("account"))


async def _visible(call: Call) -> Account:
    """Raises `AccountNotFound`, `HiddenObject`."""
    account = await call.services.people.accounts.get(_id(call))
    call.rights.require_account(account)
    return account


async def _person(call: Call) -> Account:
    """Raises `AccountNotFound`, `HiddenObject`, `Forbidden`."""
    account = await _visible(call)
    call.rights.require_person(account)
    return account


async def _shown(call: Call, account: Account) -> AccountWithRolesJson:
    return account_as_seen(account, call.services.store.tree, call.rights)
