"""From what the services know to the JSON that pages are given. Pure: everything is handed in."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from rooms.people.account import Account, Identity, LoginId, LoginView, TokenView
from rooms.people.rights import Right, Rights
from controller.displays.call import AskingLesson, DisplayState
from controller.views.lesson_view import LessonView, SiteView
from controller.displays.media_tokens import MediaGrant, ScreenGrant
from controller.quality.verdict import SiteQuality
from controller.nodes.bridge_report import SlotView
from controller.lessons.steps import StepView
from controller.views.watching import WatchSlots
from controller.web.models.lessons import (
    CanJson,
    FloorJson,
    GrantJson,
    LessonJson,
    ScreenGrantJson,
    SiteDevicesJson,
    SiteDisplayJson,
    SiteJson,
    SiteMediaJson,
    SiteProblemJson,
    SiteQualityJson,
    StartBlockCode,
    StartBlockJson,
)
from controller.web.models.people import (
    AccountJson,
    AccountWithRolesJson,
    Language,
    LoginsJson,
    LoginViewJson,
    MeJson,
    NamedJson,
    OrganisationJson,
    RoleJson,
    SchoolJson,
    TokensJson,
    TokenViewJson,
)
from controller.web.models.rooms import DeviceJson, DisplayJson, PendingJson, PropertyJson, RoomJson
from controller.web.models.scenes import SceneJson, SceneStepJson, StepDeviceJson, StepJson
from devices.device import (
    Availability,
    Command,
    CommandState,
    Device,
    Property,
    PropertyName,
    Reported,
)
from rooms.floor import Mode
from rooms.lesson import EARLIEST_START, EndReason, Lesson, LessonState, Site, StartBlock, start_block
from rooms.organisation_tree import OrganisationTree
from rooms.room import Display, Room, RoomId
from rooms.scene import Scene
from rooms.school import Organisation


def me(identity: Identity, tree: OrganisationTree) -> MeJson:
    account = identity.account
    rights = Rights.of(account, tree)
    return MeJson(
        account=AccountJson(
            id=account.id, name=account.name, display_name=account.display_name, language=_language(account)
        ),
        roles=roles(account, tree),
        operator=account.operator,
        administers=rights.administers,
        own_password_needed=identity.unsettled,
        csrf=identity.csrf,
    )


def roles(account: Account, tree: OrganisationTree) -> list[RoleJson]:
    return [
        RoleJson(role=each.role, organisation=NamedJson(id=each.organisation_id, name=found.name))
        for each in account.roles
        if (found := tree.find(each.organisation_id)) is not None
    ]


def account(each: Account, tree: OrganisationTree, rights: Rights) -> AccountWithRolesJson:
    """As whoever has these rights may know it: roles elsewhere are not theirs to see."""
    mine = tuple(one for one in each.roles if rights.has(Right.ADMINISTER, one.organisation_id))
    return AccountWithRolesJson(
        id=each.id,
        name=each.name,
        display_name=each.display_name,
        language=_language(each),
        roles=roles(replace(each, roles=mine), tree),
        suspended=each.suspended is not None,
        own_password_needed=each.password_given,
        can=rights.has_person(each),
    )


def _language(account: Account) -> Language:
    return "en" if account.language == "en" else "vi"


def logins(found: Iterable[LoginView], mine: LoginId | None) -> LoginsJson:
    return LoginsJson(
        logins=[
            LoginViewJson(
                id=each.id, begun=each.begun, expires=each.expires, network=each.network, mine=each.id == mine
            )
            for each in found
        ]
    )


def tokens(found: Iterable[TokenView]) -> TokensJson:
    return TokensJson(
        tokens=[
            TokenViewJson(id=each.id, name=each.name, created=each.created, expires=each.expires) for each in found
        ]
    )


def organisation(each: Organisation) -> OrganisationJson:
    return OrganisationJson(id=each.id, parent=each.parent_id, kind=each.kind, name=each.name, province=each.province)


def school(each: Organisation) -> SchoolJson:
    return SchoolJson(id=each.id, name=each.name, province=each.province)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceNow:
    """A device with everything that is known of it now."""

    device: Device
    room: str | None
    availability: Availability
    heard: datetime | None
    reported: Mapping[PropertyName, Reported]
    pending: Mapping[PropertyName, tuple[Command, CommandState]]


def device(now: DeviceNow) -> DeviceJson:
    each = now.device
    return DeviceJson(
        id=each.id,
        school=each.namespace,
        room=now.room,
        name=each.name,
        type=each.type,
        manufacturer=each.manufacturer,
        model=each.model,
        serial=each.serial,
        firmware=each.firmware,
        suggested_room=each.suggested_room,
        availability=now.availability,
        last_seen=now.heard,
        properties=[_property(one, now) for one in each.properties],
    )


def _property(each: Property, now: DeviceNow) -> PropertyJson:
    reported = now.reported.get(each.name)
    pending = now.pending.get(each.name)
    return PropertyJson(
        name=each.name,
        capability=each.capability,
        kind=each.kind,
        unit=each.unit,
        minimum=each.minimum,
        maximum=each.maximum,
        step=each.step,
        options=list(each.options),
        settable=each.settable,
        value=None if reported is None else reported.value,
        reported_at=None if reported is None else reported.received,
        quality=quality(each, reported, now.availability),
        pending=None if pending is None else PendingJson(value=pending[0].value, state=pending[1]),
    )


def quality(each: Property, reported: Reported | None, availability: Availability) -> str:
    """How far a property's value can be trusted: confirmed, assumed, stale or unknown."""
    if reported is None:
        return "unknown"
    if not each.reported:
        return "assumed"
    if not reported.fresh or availability in (Availability.STALE, Availability.OFFLINE):
        return "stale"
    return "confirmed"


def display(each: Display, *, connected: bool) -> DisplayJson:
    return DisplayJson(
        id=each.id, name=each.name, paired_at=each.paired_at, last_seen=each.last_seen, connected=connected
    )


def room(
    each: Room,
    of: Organisation,
    *,
    devices: Iterable[DeviceJson],
    displays: Iterable[DisplayJson],
    scenes: Iterable[str],
    in_use_by: str | None,
) -> RoomJson:
    return RoomJson(
        id=each.id,
        name=each.name,
        version=each.version,
        school=school(of),
        devices=list(devices),
        displays=list(displays),
        scenes=list(scenes),
        in_use_by=in_use_by,
    )


def scene(each: Scene) -> SceneJson:
    return SceneJson(
        name=each.name,
        version=each.version,
        steps=[
            SceneStepJson(
                id=step.id,
                device=step.device_id,
                property=step.property,
                value=step.value,
                importance=step.importance,
                deadline_s=step.deadline.total_seconds(),
                after=list(step.after),
                needs=list(step.needs),
            )
            for step in each.steps
        ],
    )


def step(each: StepView) -> StepJson:
    return StepJson(
        id=each.id,
        device=StepDeviceJson(id=each.device_id, name=each.device_name, type=each.device_type),
        property=each.property,
        value=each.value,
        importance=each.importance,
        state=each.state,
        lost=each.lost,
        code=each.code,
        since=each.since,
        deadline_s=each.deadline.total_seconds(),
        reported=each.reported,
        unit=each.unit,
        command=each.command,
        because=each.because,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Starters:
    """Names of those who may start a lesson, some of `count`; only for people of its host."""

    names: tuple[str, ...] = ()
    count: int = 0


def lesson(view: LessonView, rights: Rights, now: datetime, starters: Starters) -> LessonJson:
    """As whoever has these rights may know it: those who declined see no more of it than they need to think again."""
    each = view.lesson
    runs = rights.has(Right.RUN, each.host_school_id)
    planned = {site.room_id: site for site in each.sites}
    block = _start_block(view, rights, now, starters) if each.state is LessonState.SCHEDULED else None
    whole = rights.sees_course(each)
    sites = [site for site in view.sites if site.room.id in planned]
    return LessonJson(
        id=each.id,
        title=each.title,
        subject=each.subject,
        kind=each.kind,
        state=each.state,
        start=each.start,
        end=each.end,
        started_at=each.started_at if whole else None,
        ended_at=each.ended_at if whole else None,
        end_reason=each.end_reason if whole else EndReason.NONE,
        version=each.version if whole else 0,  # it counts what happens; nobody who sees so little can change it
        host=NamedJson(id=view.host.id, name=view.host.name),
        can=CanJson(
            start=each.state is LessonState.SCHEDULED and block is None,
            start_block=block,
            end=runs and each.state is LessonState.LIVE,
            resume=view.resumable_until if runs else None,
            share=_shareable(each, rights),
            diagnose=rights.may_diagnose(each),
        ),
        mode=each.mode if whole else Mode.DISCUSSION,
        floor=None if each.floor is None or not whole else FloorJson(room=each.floor.room_id, until=each.floor.until),
        epoch=view.epoch if whole else None,
        sites=[_site(site, planned[site.room.id], rights) for site in (sites if whole else _own_bare(sites, rights))],
    )


def _own_bare(sites: Iterable[SiteView], rights: Rights) -> list[SiteView]:
    """Their own sites, with nothing of what happens."""
    mine = [site for site in sites if rights.has(Right.SEE, site.school.id)]
    return [SiteView(room=site.room, school=site.school, ready=False) for site in mine]


def needs_starters(view: LessonView, rights: Rights) -> bool:
    """Whether the account is told who can start the lesson: it cannot itself, and is of the host's people."""
    each = view.lesson
    of_host = rights.has(Right.SEE, each.host_school_id)
    return each.state is LessonState.SCHEDULED and of_host and not rights.has(Right.RUN, each.host_school_id)


def _start_block(view: LessonView, rights: Rights, now: datetime, starters: Starters) -> StartBlockJson | None:
    each = view.lesson
    if needs_starters(view, rights):
        return StartBlockJson(code=StartBlockCode.NO_ROLE, who=list(starters.names), count=starters.count)
    if not rights.has(Right.RUN, each.host_school_id):
        return StartBlockJson(code=StartBlockCode.NOT_YOURS)
    block = start_block(each, now)
    if block is not None:
        at = each.start - EARLIEST_START if block is StartBlock.TOO_EARLY else None
        return StartBlockJson(code=StartBlockCode(block.value), at=at)
    if view.busy is not None:
        seen = rights.sees_lesson(view.busy.lesson)
        title = view.busy.lesson.title if seen else None
        return StartBlockJson(code=StartBlockCode.ROOM_BUSY, room=view.busy.room.name, lesson=title)
    return None


def _shareable(each: Lesson, rights: Rights) -> RoomId | None:
    site = rights.sharing_site(each) if each.state is LessonState.LIVE else None
    return site.room_id if site is not None else None


def _site(each: SiteView, planned: Site, rights: Rights) -> SiteJson:
    media = each.media
    return SiteJson(
        room=NamedJson(id=each.room.id, name=each.room.name),
        school=school(each.school),
        invitation=planned.invitation,
        reminded_at=planned.reminded_at,
        own=rights.has(Right.ANSWER, planned.school_id),
        muted=planned.muted,
        camera_off=planned.camera_off,
        ready=each.ready,
        devices=SiteDevicesJson(state=each.devices, steps=[step(one) for one in each.steps]),
        display=SiteDisplayJson(state=each.display, camera=each.camera),
        media=SiteMediaJson(
            video=media.video,
            audio=media.audio,
            receiving=media.receiving,
            link=media.link,
            speaking=media.speaking,
            on_stage=media.on_stage,
            heard=media.heard,
            sharing=media.sharing,
        ),
        quality=None if each.quality is None else site_quality(each.quality),
        problems=[
            SiteProblemJson(code=one.code, importance=one.importance, device=one.device) for one in each.problems
        ],
    )


def site_quality(each: SiteQuality) -> SiteQualityJson:
    return SiteQualityJson(word=each.word, cause=each.cause, side=each.side)


def grant(each: MediaGrant) -> GrantJson:
    return GrantJson(url=each.url, token=each.token)


def screen_grant(each: ScreenGrant) -> ScreenGrantJson:
    return ScreenGrantJson(url=each.url, token=each.token, client=each.client, epoch=each.epoch)


def moment(each: datetime) -> str:
    """RFC 3339."""
    return each.isoformat().replace("+00:00", "Z")


def slots(each: Mapping[str, SlotView]) -> dict[str, object]:
    """By mid: whose track a slot carries, and how; `slides`: those with a shared screen."""
    return {
        "slots": {mid: slot.room_id for mid, slot in each.items()},
        "flows": {mid: slot.flow for mid, slot in each.items()},
        "slides": [mid for mid, slot in each.items() if slot.slides],
    }


def watch_slots(each: WatchSlots) -> dict[str, object]:
    return {"type": "watch", "lesson": each.lesson_id, "view": each.view, "epoch": each.epoch, **slots(each.slots)}


def _asking(each: AskingLesson) -> dict[str, object]:
    return {
        "lesson": each.lesson_id,
        "title": each.title,
        "host": each.host,
        "stepped_out": each.stepped_out,
        "reminded_at": None if each.reminded_at is None else moment(each.reminded_at),
    }


def display_state(state: DisplayState, now: datetime) -> dict[str, object]:
    """The message that a paired display is sent."""
    call = state.call
    return {
        "type": "state",
        "time": moment(now),
        "display": state.display_id,
        "room": {"id": state.room.id, "name": state.room.name},
        "school": school(state.school).model_dump(),
        "next": None if state.next is None else {"title": state.next.title, "start": moment(state.next.start)},
        "asking": None if state.asking is None else _asking(state.asking),
        "call": None
        if call is None
        else {
            "lesson": call.lesson_id,
            "title": call.title,
            "epoch": call.epoch,
            "spread_ms": round(call.spread_s * 1000),
            "whip": grant(call.whip).model_dump(),
            "whep": grant(call.whep).model_dump(),
            "screen": screen_grant(call.screen).model_dump(),
            "sharing": call.sharing,
            "video": call.video,
            "audio": call.audio,
            "rooms": [
                {
                    "id": each.room.id,
                    "name": each.room.name,
                    "school": each.school.name,
                    "province": each.school.province,
                    "here": each.here,
                    "muted": each.muted,
                    "camera_off": each.camera_off,
                }
                for each in call.rooms
            ],
            "layers": dict(call.layers),
            "mode": call.mode,
            "floor": call.floor,
            "speaking": call.speaking,
            "muted": call.muted,
            "camera_off": call.camera_off,
            "may_leave": call.may_leave,
            **slots(call.slots),
        },
    }
