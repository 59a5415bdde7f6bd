"""Displays: paired to a room by the code they show, unpaired again."""

from controller.people.secret import hash_of
from controller.views.room_json import DisplayJson
from controller.web.call import Call
from controller.web.models.rooms import DisplayCredentialJson, NewDisplayJson
from controller.web.route import API, Routes
from rooms.people.errors import LoginFailed
from rooms.room import DisplayId, RoomId

routes = Routes("displays")

DISPLAY_COOKIE = "nhipcau_display"
DISPLAY_COOKIE_PATH = f"{API}/display"
DISPLAY_COOKIE_S = 400 * 86400  # as long as browsers allow; renewed at each connection


@routes("POST", "/rooms/{room}/displays", status=201, problems=(429,))
async def pair_display(call: Call, body: NewDisplayJson) -> DisplayJson:
    """Pair the display that shows this code to the room."""
    room_id = RoomId(call.path("room"))
    display = await call.services.pairing.pair(body.code, room_id, body.name, rights=call.rights, actor=call.actor)
    return DisplayJson.of(display, connected=False)


@routes("DELETE", "/displays/{display}")
async def delete_display(call: Call) -> None:
    """Unpair a display; its page returns to pairing."""
    await call.services.pairing.unpair(DisplayId(call.path("display")), rights=call.rights, actor=call.actor)


@routes("POST", "/display/credential", public=True, problems=(401, 429))
async def keep_credential(call: Call, body: DisplayCredentialJson) -> None:
    """The display's page gives the token that it was told and has it as a cookie that no script can read."""
    logins = call.services.people.logins
    logins.count_attempt(call.address)
    if await call.services.store.displays.get_by_secret_hash(hash_of(body.token)) is None:
        raise LoginFailed("this display is not paired")
    logins.forgive(call.address)
    call.set_cookie(DISPLAY_COOKIE, body.token, path=DISPLAY_COOKIE_PATH, max_age_s=DISPLAY_COOKIE_S)
