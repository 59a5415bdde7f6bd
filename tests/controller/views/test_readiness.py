from datetime import UTC, datetime

import pytest

from controller.displays.report import Camera, SiteDisplay
from controller.lessons.steps import StepDevice, StepView
from controller.nodes.bridge_report import SiteLink, SiteMedia
from controller.views.readiness import (
    Sending,
    SiteDevices,
    SiteProblem,
    SiteProblemCode,
    devices_state,
    is_ready,
    problems,
)
from devices.device import DeviceId, DeviceType, PropertyName
from rooms.scene import Importance, StepId, StepState

FLOWING = SiteMedia(video=True, audio=True, receiving=True, link=SiteLink.GOOD)
ESSENTIAL, USEFUL, COMFORT = Importance


def step(
    state: StepState,
    importance: Importance = ESSENTIAL,
    device: str = "Máy chiếu",
    property: str = "power",
    lost: bool = False,
) -> StepView:
    return StepView(
        id=StepId("on"),
        device=StepDevice(id=DeviceId("d1"), name=device, type=DeviceType.PROJECTOR),
        property=PropertyName(property),
        value="on",
        importance=importance,
        state=state,
        lost=lost,
        code="",
        since=datetime(2026, 3, 2, tzinfo=UTC),
        deadline_s=10,
        reported=None,
    )


@pytest.mark.parametrize(
    ("steps", "state"),
    [
        ([], SiteDevices.IDLE),
        ([step(StepState.WAITING), step(StepState.FAILED)], SiteDevices.PREPARING),
        ([step(StepState.RUNNING)], SiteDevices.PREPARING),
        ([step(StepState.CONFIRMED), step(StepState.ASSUMED)], SiteDevices.READY),
        ([step(StepState.OVERRIDDEN, USEFUL), step(StepState.SUPERSEDED)], SiteDevices.READY),
        ([step(StepState.OVERRIDDEN, property="av_source")], SiteDevices.READY),
        ([step(StepState.OVERRIDDEN)], SiteDevices.FAILED),
        ([step(StepState.CONFIRMED, lost=True)], SiteDevices.FAILED),
        ([step(StepState.CONFIRMED), step(StepState.ASSUMED, USEFUL, lost=True)], SiteDevices.DEGRADED),
        ([step(StepState.OVERRIDDEN, property="microphone")], SiteDevices.FAILED),
        ([step(StepState.CONFIRMED), step(StepState.TIMED_OUT, USEFUL)], SiteDevices.DEGRADED),
        ([step(StepState.SKIPPED, COMFORT)], SiteDevices.DEGRADED),
        ([step(StepState.EXPIRED, COMFORT), step(StepState.EXPIRED, ESSENTIAL)], SiteDevices.FAILED),
    ],
)
def test_devices_state_is_that_of_the_worst_missing_step(steps: list[StepView], state: SiteDevices) -> None:
    assert devices_state(steps) is state


@pytest.mark.parametrize(
    ("devices", "display", "media", "ready"),
    [
        (SiteDevices.READY, SiteDisplay.JOINED, FLOWING, True),
        (SiteDevices.IDLE, SiteDisplay.JOINED, FLOWING, True),
        (SiteDevices.DEGRADED, SiteDisplay.JOINED, FLOWING, True),
        (SiteDevices.PREPARING, SiteDisplay.JOINED, FLOWING, False),
        (SiteDevices.FAILED, SiteDisplay.JOINED, FLOWING, False),
        (SiteDevices.READY, SiteDisplay.JOINING, FLOWING, False),
        (SiteDevices.READY, SiteDisplay.JOINED, SiteMedia(video=True), False),
        (SiteDevices.READY, SiteDisplay.JOINED, SiteMedia(audio=True), False),
    ],
)
def test_site_is_ready_when_nothing_essential_is_missing(
    devices: SiteDevices, display: SiteDisplay, media: SiteMedia, ready: bool
) -> None:
    assert is_ready(devices, display, media) is ready


@pytest.mark.parametrize(
    ("display", "camera", "media", "codes"),
    [
        (SiteDisplay.ABSENT, Camera.UNKNOWN, SiteMedia(), ["display_absent"]),
        (SiteDisplay.CONNECTED, Camera.UNKNOWN, SiteMedia(), []),
        (SiteDisplay.JOINING, Camera.OK, SiteMedia(), []),
        (SiteDisplay.JOINED, Camera.DENIED, SiteMedia(), ["camera_denied"]),
        (SiteDisplay.JOINED, Camera.MISSING, SiteMedia(audio=True), ["camera_missing"]),
        (SiteDisplay.JOINED, Camera.OK, SiteMedia(), ["no_video"]),
        (SiteDisplay.JOINED, Camera.OK, SiteMedia(video=True), ["no_audio"]),
        (SiteDisplay.JOINED, Camera.OK, FLOWING, []),
        (SiteDisplay.JOINED, Camera.OK, SiteMedia(video=True, audio=True, link=SiteLink.WEAK), ["link_weak"]),
        (SiteDisplay.JOINED, Camera.OK, SiteMedia(link=SiteLink.LOST), ["no_video", "link_lost"]),
    ],
)
def test_problems_of_display_and_media(
    display: SiteDisplay, camera: Camera, media: SiteMedia, codes: list[str]
) -> None:
    assert [each.code for each in problems([], display, camera, media)] == codes


@pytest.mark.parametrize(
    ("media", "sending", "ready", "codes"),
    [
        (FLOWING, Sending(muted=True), True, []),
        (SiteMedia(audio=True), Sending(camera_off=True), True, []),
        (SiteMedia(audio=True), Sending(muted=True), False, ["no_video"]),
        (SiteMedia(video=True), Sending(muted=True), True, []),
        (SiteMedia(), Sending(muted=True, camera_off=True), True, []),
        (SiteMedia(), Sending(camera_off=True), False, ["no_audio"]),
    ],
)
def test_what_a_class_keeps_to_itself_is_no_problem(
    media: SiteMedia, sending: Sending, ready: bool, codes: list[str]
) -> None:
    found = problems([], SiteDisplay.JOINED, Camera.OK, media, sending)
    assert ([each.code for each in found], is_ready(SiteDevices.READY, SiteDisplay.JOINED, media, sending)) == (
        codes,
        ready,
    )
    closed = problems([], SiteDisplay.JOINED, Camera.MISSING, media, Sending(camera_off=True))
    assert "camera_missing" not in [each.code for each in closed]


def test_devices_that_nobody_can_reach_are_one_problem() -> None:
    steps = [
        step(StepState.EXPIRED, COMFORT, "Đèn"),
        step(StepState.TIMED_OUT),
        step(StepState.SKIPPED, USEFUL, "Camera"),
        step(StepState.FAILED, USEFUL, "Điều hòa"),
    ]
    found = problems(steps, SiteDisplay.JOINED, Camera.OK, FLOWING, devices_reached=False)
    assert found == (
        SiteProblem(code=SiteProblemCode.DEVICES_UNREACHED, importance=ESSENTIAL),
        SiteProblem(code=SiteProblemCode.DEVICE_REFUSED, importance=USEFUL, device="Điều hòa"),
    )


def test_problems_of_steps_come_once_and_the_worst_first() -> None:
    steps = [
        step(StepState.EXPIRED, COMFORT, "Đèn"),
        step(StepState.FAILED),
        step(StepState.FAILED),
        step(StepState.TIMED_OUT, USEFUL, ""),
        step(StepState.OVERRIDDEN),
        step(StepState.OVERRIDDEN, COMFORT),
        step(StepState.CONFIRMED),
    ]
    assert problems(steps, SiteDisplay.ABSENT, Camera.UNKNOWN, SiteMedia()) == (
        SiteProblem(code=SiteProblemCode.DEVICE_REFUSED, importance=ESSENTIAL, device="Máy chiếu"),
        SiteProblem(code=SiteProblemCode.SWITCHED_OFF, importance=ESSENTIAL, device="Máy chiếu"),
        SiteProblem(code=SiteProblemCode.DISPLAY_ABSENT, importance=ESSENTIAL),
        SiteProblem(code=SiteProblemCode.DEVICE_SILENT, importance=USEFUL),
        SiteProblem(code=SiteProblemCode.DEVICE_OFFLINE, importance=COMFORT, device="Đèn"),
    )
