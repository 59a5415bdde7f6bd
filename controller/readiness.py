"""What is ready at a site and what is missing, derived from its steps, its display and its media. Pure rules."""

from collections.abc import Iterable, Sequence

from controller.views import Camera, SiteDevices, SiteDisplay, SiteLink, SiteMedia, SiteProblem, StepView
from rooms.scene import Importance, StepState

STEP_PROBLEMS = {
    StepState.FAILED: "device_refused",
    StepState.TIMED_OUT: "device_silent",
    StepState.EXPIRED: "device_offline",
    StepState.SKIPPED: "step_skipped",
}
"""What a step's unhappy end is called; `overridden` and `superseded` are somebody's will, not a problem."""


def devices_state(steps: Sequence[StepView]) -> SiteDevices:
    """What the devices of a site are doing, from the steps of its scene."""
    if not steps:
        return SiteDevices.IDLE
    if any(not step.state.settled for step in steps):
        return SiteDevices.PREPARING
    missing = {step.importance for step in steps if step.state in STEP_PROBLEMS}
    if Importance.ESSENTIAL in missing:
        return SiteDevices.FAILED
    return SiteDevices.DEGRADED if missing else SiteDevices.READY


def problems(
    steps: Iterable[StepView], display: SiteDisplay, camera: Camera, media: SiteMedia
) -> tuple[SiteProblem, ...]:
    """What is missing at a site of a live lesson, the worst first."""
    found = [
        SiteProblem(code=STEP_PROBLEMS[step.state], importance=step.importance, device=step.device_name or None)
        for step in steps
        if step.state in STEP_PROBLEMS
    ]
    found += [
        SiteProblem(code=code, importance=importance) for code, importance in _media_problems(display, camera, media)
    ]
    order = list(Importance)
    return tuple(dict.fromkeys(sorted(found, key=lambda problem: order.index(problem.importance))))


def _media_problems(display: SiteDisplay, camera: Camera, media: SiteMedia) -> Iterable[tuple[str, Importance]]:
    match display:
        case SiteDisplay.ABSENT:
            yield "display_absent", Importance.ESSENTIAL
        case SiteDisplay.JOINED if camera is Camera.DENIED:
            yield "camera_denied", Importance.ESSENTIAL
        case SiteDisplay.JOINED if camera is Camera.MISSING:
            yield "camera_missing", Importance.ESSENTIAL
        case SiteDisplay.JOINED if not media.video:
            yield "no_video", Importance.ESSENTIAL
        case SiteDisplay.JOINED if not media.audio:
            yield "no_audio", Importance.ESSENTIAL
    if media.link is SiteLink.WEAK:
        yield "link_weak", Importance.USEFUL  # sound comes first and goes on
    elif media.link is SiteLink.LOST:
        yield "link_lost", Importance.ESSENTIAL


def is_ready(devices: SiteDevices, display: SiteDisplay, media: SiteMedia) -> bool:
    """Whether the lesson can be held at this site: nothing essential is missing, and it is seen and heard."""
    room_is = devices in (SiteDevices.IDLE, SiteDevices.READY, SiteDevices.DEGRADED)
    return room_is and display is SiteDisplay.JOINED and media.video and media.audio
