"""What strangers may cost: so much of the loop per network, so that one of them cannot stall all schools.

Counted is the CPU that their requests have taken, whatever they ask for. Who has used up the share waits, and is sent
away where that would take long. A browser in which somebody was logged in has a share of its own: that of a school's
only address may be used up by one of its pupils. What is asked by a login, a token or a paired display is not counted,
and a token that was good last time waits for nobody.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Generator
from typing import Any, Generic, TypeVar

from aiohttp import web

from controller.network import network_of
from controller.people.secret import hash_of
from controller.web.call import SERVICES
from controller.web.errors import TooManyRequests
from controller.web.guard import BROWSER_COOKIE, IDENTITY, cookie_name
from controller.web.remote import address_of
from controller.web.services import Services
from rooms.errors import StoreUnavailable

T = TypeVar("T")

SHARE = 0.25  # of the loop's time, for one network
BURST_S = 4.0  # a school's PCs are switched on at one moment
PATIENCE_S = 15.0
LEAST_S = 0.0005  # what a request costs outside its handler: its head read, its answer written
MOST_KEPT = 10_000  # networks, and tokens; the one that was quiet for longest is forgotten

KNOWN = web.RequestKey("known", bool)  # somebody has vouched for it: a node, a paired display


class Shares:
    """How much each network has used. Pure: the clock is given."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._whole_at: OrderedDict[str, float] = OrderedDict()
        self._good: OrderedDict[str, None] = OrderedDict()

    def wait_s(self, who: str) -> float:
        """How long until there is something left."""
        return max(self._whole_at.get(who, 0.0) - self._clock() - BURST_S / SHARE, 0.0)

    def charge(self, who: str, cpu_s: float) -> None:
        now = self._clock()
        self._whole_at[who] = max(self._whole_at.get(who, now), now) + cpu_s / SHARE
        self._whole_at.move_to_end(who)
        if len(self._whole_at) > MOST_KEPT:
            self._whole_at.popitem(last=False)

    def was_good(self, credential: str | None) -> bool:
        return credential is not None and hash_of(credential) in self._good

    def note(self, credential: str | None, good: bool) -> None:
        """Whether somebody was known by it just now."""
        if credential is None:
            return
        if not good:
            self._good.pop(hash_of(credential), None)
            return
        self._good[hash_of(credential)] = None
        self._good.move_to_end(hash_of(credential))
        if len(self._good) > MOST_KEPT:
            self._good.popitem(last=False)


SHARES = web.AppKey("shares", Shares)


class Metered(Generic[T]):
    """Awaits `work`; `cpu_s` is the time of this thread that it took, without that in which it waited."""

    def __init__(self, work: Awaitable[T]) -> None:
        self._work = work
        self.cpu_s = 0.0

    def __await__(self) -> Generator[Any, Any, T]:
        steps = self._work.__await__()
        step: Callable[[], Any] = steps.__next__
        while True:
            began = time.thread_time()
            try:
                awaited = step()
            except StopIteration as end:
                value: T = end.value
                return value
            finally:
                self.cpu_s += time.thread_time() - began
            try:
                yield awaited
                step = steps.__next__
            except BaseException as error:  # noqa: BLE001 - handed on: a cancellation belongs to the work
                step = _thrower(steps, error)


def _thrower(steps: Generator[Any, Any, T], error: BaseException) -> Callable[[], Any]:
    return lambda: steps.throw(error)


@web.middleware
async def shared(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Stands inside the rim."""
    shares = request.app[SHARES]
    who = await _who(request, request.app[SERVICES])
    credential = request.headers.get("Authorization")
    wait_s = 0.0 if shares.was_good(credential) else shares.wait_s(who)
    if wait_s > PATIENCE_S:
        raise TooManyRequests(wait_s)
    if wait_s > 0:
        await asyncio.sleep(wait_s)
    metered = Metered(handler(request))
    try:
        return await metered
    finally:
        known = IDENTITY in request or KNOWN in request
        shares.note(credential, known)
        if not known:
            shares.charge(who, metered.cpu_s + LEAST_S)


async def _who(request: web.Request, services: Services) -> str:
    cookie = request.cookies.get(cookie_name(BROWSER_COOKIE, services))
    try:
        browser = await services.people.logins.browser(cookie)
    except StoreUnavailable:
        browser = None  # the key that it is signed with cannot be read now
    return browser or network_of(address_of(request, services.trusted_proxies))
