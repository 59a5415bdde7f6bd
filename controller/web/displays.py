"""Displays: paired to a room by the code they show, unpaired again."""

from controller.changes import ChangeKind
from controller.ids import new_id
from rooms.people.errors import LoginFailed
from rooms.people.rights import Right
from controller.people.secret import hash_of, new_secret
from controller.views.room_json import DisplayJson
from controller.web.call import Call
from controller.web.models.rooms import DisplayCredentialJson, NewDisplayJson
from controller.web.reading import visible_room
from controller.web.route import API, Routes
from rooms.room import Display, DisplayId

routes = Routes("displays")

DISPLAY_COOKIE = "nhipcau_display"
DISPLAY_COOKIE_PATH = f"{API}/display"
DISPLAY_COOKIE_S = 400 * 86400  # as long as browsers allow; renewed at each connection


@routes("POST", "/rooms/{room}/displays", status=201, problems=(429,))
async def pair_display(call: Call, body: NewDisplayJson) -> DisplayJson:
    """Pair the display that shows this code to the room."""
    room = await visible_room(call.services, call.rights, Right.EQUIP, call.path("room"))
    tell = call.services.pairing.take(body.code, by=call.identity.account.id)
    secret = new_secret()
    display = Display(id=DisplayId(new_id("s")), room_id=room.id, name=body.name, paired_at=call.services.clock())
    await call.services.store.displays.add(display, hash_of(secret))
    await call.record("display.pair", "display", display.id, after={"room": room.id, "name": display.name})
    tell(secret)
    call.changed(ChangeKind.ROOM, room.id)
    return DisplayJson.of(display, connected=False)


@routes("DELETE", "/displays/{display}")
async def delete_display(call: Call) -> None:
    """Unpair a display; its page returns to pairing."""
    id = DisplayId(call.path("display"))
    display = await call.services.store.displays.get(id)
    room = await call.services.store.rooms.get(display.room_id)
    call.rights.require(Right.EQUIP, room.school_id, "display", id)
    await call.services.store.displays.delete(id)
    call.services.views.displays.unpair(id)
    await call.record("display.unpair", "display", id, before={"room": room.id, "name": display.name})
    call.services.views.display_states.put_out(display)  # last: its page, which is given new tokens, is gone by now
    call.changed(ChangeKind.ROOM, room.id)


@routes("POST", "/display/credential", public=True, problems=(401, 429))
async def keep_credential(call: Call, body: DisplayCredentialJson) -> None:
    """The display's page gives the token that it was told and has it as a cookie that no script can read."""
    logins = call.services.people.logins
    logins.count_attempt(call.address)
    if await call.services.store.displays.get_by_secret_hash(hash_of(body.token)) is None:
        raise LoginFailed("this display is not paired")
    logins.forgive(call.address)
    call.set_cookie(DISPLAY_COOKIE, body.token, path=DISPLAY_COOKIE_PATH, max_age_s=DISPLAY_COOKIE_S)
