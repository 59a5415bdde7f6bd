"""Scenes on real devices behind a real broker: order, failures, repair, and respect for what people do by hand."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from controller.lessons.scenes import REPAIR_LIMIT
from devices.device import Availability, DeviceId, PropertyName, Value
from rooms.errors import StepNotFound
from rooms.room import RoomId
from rooms.scene import Scene, SceneStep, StepId, StepState
from tests.controller.stage import SPEEDS, Stage, Watched, running
from tests.devices.nativedevice import LEVEL, POWER, NativeDevice, native_device, until
from tests.rooms.samples import LOI_ROOM

ROOM = LOI_ROOM
QUICK = timedelta(seconds=0.3)


def step(
    device: DeviceId, value: Value = "on", *, id: str = "on", property: PropertyName = POWER, **more: object
) -> SceneStep:
    made = SceneStep(id=StepId(id), device_id=device, property=property, value=value)
    return replace(made, **more)  # type: ignore[arg-type]


def scene(*steps: SceneStep) -> Scene:
    return Scene(room_id=ROOM.id, name="lesson", steps=steps)


@asynccontextmanager
async def beamer(stage: Stage, *, boot: int = 1) -> AsyncIterator[NativeDevice]:
    """A native device in the room that has been heard, and does nothing by itself."""
    async with native_device(stage.broker, boot=boot) as device:
        await until(stage.hub, lambda: device.id in {each.id for each in stage.hub.devices()})
        await stage.put(ROOM, device.id)
        await until(stage.hub, lambda: availability(stage, device) is not Availability.UNKNOWN)
        await device.online()
        await until(stage.hub, lambda: availability(stage, device) is Availability.ONLINE)
        yield device


def availability(stage: Stage, device: NativeDevice) -> Availability:
    return stage.hub.availability(device.id)[0]


async def die(stage: Stage, device: NativeDevice) -> None:
    device.pull_the_plug()
    await until(stage.hub, lambda: availability(stage, device) is Availability.OFFLINE)


@pytest.fixture
async def device(stage: Stage) -> AsyncIterator[NativeDevice]:
    async with beamer(stage) as device:
        yield device


async def test_suggested_scene_moves_screen_and_projector_at_once_and_then_chooses_the_input(stage: Stage) -> None:
    async with stage.classroom(ROOM) as room:
        lesson = Watched(stage, await stage.store.scenes.get(ROOM.id, "lesson"))
        async with running(lesson.run.run()):
            await lesson.settled()
        projector = stage.device(ROOM, "projector").id
        screen = stage.device(ROOM, "motor_screen").id
        both = [move for move in lesson.moves if move[0].endswith((projector, screen))]
        assert both[:2] == [(f"down-{screen}", "running"), (f"on-{projector}", "running")]
        assert [move for move in both if move[0].endswith(projector)] == [
            (f"on-{projector}", "running"),
            (f"on-{projector}", "confirmed"),
            (f"input-{projector}", "running"),
            (f"input-{projector}", "confirmed"),
        ]
        assert set(lesson.states.values()) == {StepState.CONFIRMED}
        orders = [(each.property, each.value) for each in room.devices["projector"].received]
        assert orders == [("power", "on"), ("av_source", "HDMI 1")]


async def test_busy_device_is_asked_again(stage: Stage, device: NativeDevice) -> None:
    lesson = Watched(stage, scene(step(device.id)))
    async with running(lesson.run.run()):
        await device.answer(await device.asked(), "failed", code="busy")
        assert (await device.asked())["set"] == {"power": "on"}
        await device.report(power="on")
        await lesson.settled()
    assert lesson.moves == [("on", "running"), ("on", "confirmed")]


async def test_refusal_and_silence_end_their_steps_and_skip_what_needs_them(stage: Stage, device: NativeDevice) -> None:
    lesson = Watched(
        stage,
        scene(
            step(device.id, id="refused"),
            step(device.id, 40, id="needs-it", property=LEVEL, needs=(StepId("refused"),)),
            step(device.id, 40, id="after-it", property=LEVEL, after=(StepId("refused"),), deadline=QUICK),
        ),
    )
    async with running(lesson.run.run()):
        await device.answer(await device.asked(), "failed", code="rejected")
        await lesson.settled()
    assert lesson.ends == {
        "refused": ("failed", "rejected"),
        "needs-it": ("skipped", ""),
        "after-it": ("timed_out", "no_report"),
    }


async def test_device_of_another_room_and_unknown_one_are_not_commanded(stage: Stage, device: NativeDevice) -> None:
    elsewhere = replace(scene(step(device.id), step(DeviceId("gone"), id="gone")), room_id=RoomId("loi-4b"))
    tried = Watched(stage, elsewhere)
    async with asyncio.timeout(10):
        await tried.run.apply()
    assert tried.ends == {"on": ("failed", "not_claimed"), "gone": ("failed", "not_found")}
    assert device.unasked


async def test_late_device_is_set_when_it_comes(stage: Stage) -> None:
    async with beamer(stage) as device:
        await die(stage, device)
    lesson = Watched(stage, scene(step(device.id, deadline=QUICK)))
    async with running(lesson.run.run()):
        await lesson.settled()
        assert lesson.ends == {"on": ("expired", "device_offline")}
        async with beamer(stage, boot=2) as again, running(again.follow()):
            await lesson.until_states(["running", "confirmed"], of="on")


async def test_device_that_died_and_came_back_wrong_is_put_right(stage: Stage, device: NativeDevice) -> None:
    lesson = Watched(
        stage, scene(step(device.id), step(device.id, 40, id="dim", property=LEVEL, needs=(StepId("on"),)))
    )
    async with running(lesson.run.run()):
        async with running(device.follow()):
            await lesson.settled()
        await die(stage, device)
        async with native_device(stage.broker, boot=2) as again:  # says that it is there before it says what is so
            await until(stage.hub, lambda: availability(stage, device) is Availability.ONLINE)
            async with running(again.follow()):
                await again.report(power="off")
                await lesson.until(lambda: len(lesson.moves) >= 10)
    redone = [("on", "waiting"), ("dim", "waiting"), ("on", "running"), ("on", "confirmed")]
    assert lesson.moves[4:] == [*redone, ("dim", "running"), ("dim", "confirmed")]


async def test_device_that_goes_after_it_was_ready_is_told_as_gone(stage: Stage, device: NativeDevice) -> None:
    lesson = Watched(stage, scene(step(device.id)))
    async with running(lesson.run.run()):
        async with running(device.follow()):
            await lesson.settled()
        assert [each.lost for each in lesson.run.views()] == [False]
        await die(stage, device)
        await lesson.until(lambda: lesson.run.views()[0].lost)
        async with native_device(stage.broker, boot=2) as again, running(again.follow()):
            await again.report(power="on")
            await lesson.until(lambda: not lesson.run.views()[0].lost)
        assert lesson.ends == {"on": ("confirmed", "")}


async def test_device_that_keeps_coming_back_wrong_is_given_up(stage: Stage, device: NativeDevice) -> None:
    lesson = Watched(stage, scene(step(device.id)))
    async with running(lesson.run.run()):
        async with running(device.follow()):
            await lesson.settled()
        await die(stage, device)
        for boot in range(2, 2 + REPAIR_LIMIT):
            async with native_device(stage.broker, boot=boot) as again, running(again.follow()):
                await again.report(power="off")
                await lesson.until_states(["waiting", "running", "confirmed"] * (boot - 1), of="on")
                await die(stage, again)
        async with native_device(stage.broker, boot=9) as again:
            await again.report(power="off")
            await lesson.until_states(["confirmed", "failed"], of="on")
            assert lesson.ends == {"on": ("failed", "contradicted")}
            await again.report(power="on")
            await lesson.until_states(["failed", "confirmed"], of="on")


async def test_value_changed_by_hand_is_left_alone(stage: Stage, device: NativeDevice) -> None:
    lesson = Watched(stage, scene(step(device.id)))
    async with running(lesson.run.run()):
        async with running(device.follow()):
            await lesson.settled()
        await device.report(power="off")
        await lesson.until_states(["overridden"], of="on")
        await die(stage, device)
        async with native_device(stage.broker, boot=2) as again:
            await again.report(power="off")
            await until(stage.hub, lambda: availability(stage, again) is Availability.ONLINE)
            assert again.unasked
    assert lesson.run.overridden == {"on"}


async def test_value_that_comes_back_by_hand_is_the_scenes_again(stage: Stage, device: NativeDevice) -> None:
    dim = step(device.id, 40, id="dim", property=LEVEL, needs=(StepId("on"),))
    lesson = Watched(stage, scene(step(device.id), dim))
    async with running(lesson.run.run()), running(device.follow()):
        await lesson.settled()
        await device.report(power="off")
        await lesson.until_states(["overridden"], of="on")
        await device.report(power="on")
        await lesson.until_states(["overridden", "confirmed"], of="on")
        await lesson.until_states(["waiting", "running", "confirmed"], of="dim")
    assert lesson.run.overridden == frozenset()


@pytest.mark.parametrize("restarted", [False, True])
async def test_what_somebody_undid_is_done_again_when_asked_for(
    stage: Stage, device: NativeDevice, restarted: bool
) -> None:
    dim = step(device.id, 40, id="dim", property=LEVEL, needs=(StepId("on"),))
    lesson = Watched(stage, scene(step(device.id), dim), overridden={StepId("on"), StepId("dim")} if restarted else ())
    async with running(lesson.run.run()), running(device.follow()):
        await lesson.settled()
        if not restarted:
            await device.report(power="off")
            await lesson.until_states(["overridden"], of="on")
        lesson.run.restore(StepId("dim"))  # and what it needs
        await lesson.until_states(["waiting", "running", "confirmed"], of="on")
        await lesson.until_states(["waiting", "running", "confirmed"], of="dim")
        with pytest.raises(StepNotFound):
            lesson.run.restore(StepId("none"))
    assert lesson.run.overridden == frozenset()


async def test_device_that_said_nothing_since_the_command_is_not_quoted(stage: Stage, device: NativeDevice) -> None:
    await device.report(power="off", level=7)
    await until(stage.hub, lambda: "power" in stage.hub.reported(device.id))
    needs = (StepId("on"),)
    lesson = Watched(
        stage, scene(step(device.id, deadline=QUICK), step(device.id, 40, id="dim", property=LEVEL, needs=needs))
    )
    assert [each.reported for each in lesson.run.views()] == ["off", 7]
    async with running(lesson.run.run()):
        await device.asked()
        [on, dim] = lesson.run.views()
        assert (on.state, on.reported, on.command is not None) == (StepState.RUNNING, None, True)
        await lesson.settled()
        [on, dim] = lesson.run.views()
        assert (on.state, on.reported, on.command) == (StepState.TIMED_OUT, None, None)
        assert (dim.state, dim.because, dim.unit) == (StepState.SKIPPED, "on", "%")
        await device.report(power="off")
        await until(stage.hub, lambda: lesson.run.views()[0].reported == "off")


async def test_change_in_the_moment_of_confirmation_is_seen(stage: Stage, device: NativeDevice) -> None:
    lesson = Watched(stage, scene(step(device.id)))
    async with running(lesson.run.run()):
        await device.asked()
        await asyncio.gather(device.report(power="on"), device.report(power="off"))
        await lesson.until_states(["overridden"], of="on")


async def test_what_was_overridden_before_a_restart_stays_so_with_what_needs_it(
    stage: Stage, device: NativeDevice
) -> None:
    steps = scene(step(device.id), step(device.id, 40, id="dim", property=LEVEL, needs=(StepId("on"),)))
    lesson = Watched(stage, steps, overridden={StepId("on")})
    async with asyncio.timeout(10):
        await lesson.run.apply()
    assert lesson.run.overridden == {"on", "dim"}
    assert device.unasked


async def test_second_step_for_the_same_value_is_not_taken_for_a_hand(stage: Stage, device: NativeDevice) -> None:
    down_and_up = scene(step(device.id, "off", id="first"), step(device.id, id="then", needs=(StepId("first"),)))
    lesson = Watched(stage, down_and_up)
    async with running(lesson.run.run()), running(device.follow()):
        await lesson.settled()
        await device.report(level=3)
        await device.report(power="off")
        await lesson.until_states(["overridden"], of="then")
    assert lesson.ends == {"first": ("confirmed", ""), "then": ("overridden", "")}


async def test_slow_projector_counts_only_once_it_is_on(stage: Stage) -> None:
    async with stage.classroom(ROOM, replace(SPEEDS, warm_up_s=1.0)):
        projector = stage.device(ROOM, "projector").id
        hdmi = PropertyName("av_source")
        lesson = Watched(
            stage,
            scene(
                step(projector, deadline=QUICK),
                step(projector, "HDMI 1", id="input", property=hdmi, needs=(StepId("on"),)),
            ),
        )
        async with running(lesson.run.run()):
            await lesson.until_states(["confirmed"], of="input")
    assert lesson.moves == [
        ("on", "running"),
        ("on", "timed_out"),
        ("input", "skipped"),
        ("on", "confirmed"),
        ("input", "waiting"),
        ("input", "running"),
        ("input", "confirmed"),
    ]


async def test_run_that_was_stopped_in_a_step_does_it_when_it_runs_again(stage: Stage, device: NativeDevice) -> None:
    lesson = Watched(stage, scene(step(device.id)))
    async with running(lesson.run.run()):
        await device.asked()
    assert lesson.states == {"on": StepState.RUNNING}
    async with running(lesson.run.run()):
        await device.asked()
        await device.report(power="on")
        await lesson.settled()
