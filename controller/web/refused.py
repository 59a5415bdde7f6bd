"""Which answers are refusals that leave a trace, and what is noted of each."""

from aiohttp import web

from controller.network import network_of
from controller.people.refusals import Refusal
from controller.web.errors import Problem
from controller.web.guard import IDENTITY
from controller.web.remote import address_of
from controller.web.services import Services
from rooms.people.errors import LoginFailed, NotLoggedIn, TooManyAttempts

STATUSES = frozenset({403, 421, 429})
GUESSES = frozenset({"login-failed", "link-not-found", "pairing-code-not-found"})  # of what is secret


def refusal(request: web.Request, services: Services, problem: Problem, error: Exception) -> Refusal | None:
    """None: an answer as any other, such as an object that is gone, or a login that has ended by time."""
    bad_token = isinstance(error, NotLoggedIn) and "Authorization" in request.headers
    if problem.status not in STATUSES and problem.type not in GUESSES and not bad_token:
        return None
    identity = request.get(IDENTITY)
    named = error.name if isinstance(error, LoginFailed | TooManyAttempts) else ""
    widely = isinstance(error, LoginFailed) and error.widely
    return Refusal(
        kind="token-refused" if bad_token else "login-failed-widely" if widely else problem.type,
        network=network_of(address_of(request, services.trusted_proxies)),
        account=None if identity is None else identity.account.id,
        name=named if identity is None else "",
    )


def note(request: web.Request, services: Services, kind: str) -> None:
    """Count what another part has refused to a stranger."""
    services.refusals.count(Refusal(kind=kind, network=network_of(address_of(request, services.trusted_proxies))))
