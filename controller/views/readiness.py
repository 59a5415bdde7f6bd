"""What is ready at a site and what is missing, derived from its steps, its display and its media. Pure rules."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from controller.displays.report import Camera, SiteDisplay
from controller.lessons.steps import StepView
from controller.nodes.bridge_report import SiteLink, SiteMedia
from devices.device import Capability
from rooms.scene import Importance, StepState


class SiteDevices(StrEnum):
    """What a site's devices are doing for the lesson, derived from their steps."""

    IDLE = "idle"
    PREPARING = "preparing"
    READY = "ready"
    DEGRADED = "degraded"  # held without something useful
    FAILED = "failed"  # something essential is missing


class SiteProblemCode(StrEnum):
    """What is missing; pages have the words for each."""

    DEVICE_REFUSED = "device_refused"
    DEVICE_SILENT = "device_silent"
    DEVICE_OFFLINE = "device_offline"
    DEVICES_UNREACHED = "devices_unreached"  # no device of any room can be reached
    STEP_SKIPPED = "step_skipped"
    SWITCHED_OFF = "switched_off"  # somebody in the room did
    DISPLAY_ABSENT = "display_absent"
    CAMERA_DENIED = "camera_denied"
    CAMERA_MISSING = "camera_missing"
    NO_VIDEO = "no_video"
    NO_AUDIO = "no_audio"
    LINK_WEAK = "link_weak"
    LINK_LOST = "link_lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteProblem:
    """One thing that is missing at a site. `device`: the name of the one concerned."""

    code: SiteProblemCode
    importance: Importance
    device: str | None = None


STEP_PROBLEMS: Mapping[StepState, SiteProblemCode] = {
    StepState.FAILED: SiteProblemCode.DEVICE_REFUSED,
    StepState.TIMED_OUT: SiteProblemCode.DEVICE_SILENT,
    StepState.EXPIRED: SiteProblemCode.DEVICE_OFFLINE,
    StepState.SKIPPED: SiteProblemCode.STEP_SKIPPED,
}
"""What a step's unhappy end is called; `overridden` and `superseded` are somebody's will, and mostly no problem."""

UNHEARD = frozenset({StepState.TIMED_OUT, StepState.EXPIRED, StepState.SKIPPED})
"""What becomes of steps when no device can be reached."""
CHOICES = frozenset({Capability.AV_SOURCE})
"""What people choose among several that are as good: a class can be taught with another input."""


def step_problem(step: StepView) -> SiteProblemCode | None:
    """What is missing because of a step; None: nothing is."""
    if step.state is StepState.OVERRIDDEN:
        chosen = step.property.split(".")[0] in CHOICES
        return SiteProblemCode.SWITCHED_OFF if step.importance is Importance.ESSENTIAL and not chosen else None
    return SiteProblemCode.DEVICE_OFFLINE if step.lost else STEP_PROBLEMS.get(step.state)


class Sending(NamedTuple):
    """What a room's own school keeps from the others."""

    muted: bool = False
    camera_off: bool = False


EVERYTHING = Sending()


def devices_state(steps: Sequence[StepView]) -> SiteDevices:
    """What the devices of a site are doing, from the steps of its scene."""
    if not steps:
        return SiteDevices.IDLE
    if any(not step.state.settled for step in steps):
        return SiteDevices.PREPARING
    missing = {step.importance for step in steps if step_problem(step) is not None}
    if Importance.ESSENTIAL in missing:
        return SiteDevices.FAILED
    return SiteDevices.DEGRADED if missing else SiteDevices.READY


def problems(
    steps: Iterable[StepView],
    display: SiteDisplay,
    camera: Camera,
    media: SiteMedia,
    sending: Sending = EVERYTHING,
    *,
    devices_reached: bool = True,
) -> tuple[SiteProblem, ...]:
    """What is missing at a site of a live lesson, the worst first.

    `devices_reached`: False where no device of any room can be: that is one problem, not one for each step.
    """
    found = [*_step_problems(steps, devices_reached)]
    found += [
        SiteProblem(code=code, importance=importance)
        for code, importance in _media_problems(display, camera, media, sending)
    ]
    order = list(Importance)
    return tuple(dict.fromkeys(sorted(found, key=lambda problem: order.index(problem.importance))))


def _step_problems(steps: Iterable[StepView], devices_reached: bool) -> Iterable[SiteProblem]:
    unheard: list[Importance] = []
    for step in steps:
        code = step_problem(step)
        if code is not None and step.state in UNHEARD and not devices_reached:
            unheard.append(step.importance)
        elif code is not None:
            yield SiteProblem(code=code, importance=step.importance, device=step.device.name or None)
    if unheard:
        yield SiteProblem(code=SiteProblemCode.DEVICES_UNREACHED, importance=min(unheard, key=list(Importance).index))


def _media_problems(
    display: SiteDisplay, camera: Camera, media: SiteMedia, sending: Sending
) -> Iterable[tuple[SiteProblemCode, Importance]]:
    match display:
        case SiteDisplay.ABSENT:
            yield SiteProblemCode.DISPLAY_ABSENT, Importance.ESSENTIAL
        case SiteDisplay.JOINED if camera is Camera.DENIED and not sending.camera_off:
            yield SiteProblemCode.CAMERA_DENIED, Importance.ESSENTIAL
        case SiteDisplay.JOINED if camera is Camera.MISSING and not sending.camera_off:
            yield SiteProblemCode.CAMERA_MISSING, Importance.ESSENTIAL
        case SiteDisplay.JOINED if not (media.video or sending.camera_off):
            yield SiteProblemCode.NO_VIDEO, Importance.ESSENTIAL
        case SiteDisplay.JOINED if not (media.audio or sending.muted):
            yield SiteProblemCode.NO_AUDIO, Importance.ESSENTIAL
    if media.link is SiteLink.WEAK:
        yield SiteProblemCode.LINK_WEAK, Importance.USEFUL  # sound comes first and goes on
    elif media.link is SiteLink.LOST:
        yield SiteProblemCode.LINK_LOST, Importance.ESSENTIAL


def is_ready(devices: SiteDevices, display: SiteDisplay, media: SiteMedia, sending: Sending = EVERYTHING) -> bool:
    """Whether the lesson can be held at this site: nothing essential is missing, it is seen and heard."""
    room_is = devices in (SiteDevices.IDLE, SiteDevices.READY, SiteDevices.DEGRADED)
    seen, heard = media.video or sending.camera_off, media.audio or sending.muted
    return room_is and display is SiteDisplay.JOINED and seen and heard
