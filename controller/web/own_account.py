"""What a person has in their own hands: the password, the logins, the API tokens."""

from controller.views.account_json import LoginsJson, TokensJson
from controller.web.call import Call
from controller.web.models.people import OwnPasswordJson
from controller.web.route import Routes
from rooms.people.account import LoginId, TokenId

routes = Routes("own account")


@routes("PUT", "/me/password", unsettled=True, problems=(403, 429))
async def change_own_password(call: Call, body: OwnPasswordJson) -> None:
    """Choose a password; my other logins end."""
    await call.services.people.accounts.change_own_password(call.identity, body.current, body.password)


@routes("GET", "/me/logins")
async def list_own_logins(call: Call) -> LoginsJson:
    """Where I am logged in."""
    found = await call.services.people.logins.list(call.identity.account.id)
    return LoginsJson.of(found, call.identity.login_id)


@routes("DELETE", "/me/logins")
async def end_other_logins(call: Call) -> None:
    """Log me out everywhere but here."""
    identity = call.identity
    await call.services.people.logins.end_all(
        identity.account.id, rights=call.rights, actor=call.actor, keeping=identity.login_id
    )


@routes("DELETE", "/me/logins/{login}")
async def end_own_login(call: Call) -> None:
    """Log me out in one place."""
    id, account = LoginId(call.path("login")), call.identity.account
    await call.services.people.logins.end(id, account.id, address=call.address)


@routes("GET", "/me/tokens")
async def list_own_tokens(call: Call) -> TokensJson:
    """The API tokens that have my rights."""
    return TokensJson(tokens=await call.services.people.tokens.list(call.identity.account.id))


@routes("DELETE", "/me/tokens/{token}")
async def revoke_own_token(call: Call) -> None:
    """Revoke one of my API tokens."""
    id = TokenId(call.path("token"))
    await call.services.people.tokens.revoke(id, call.identity.account.id, rights=call.rights, actor=call.actor)
