"""Layers and slots with a real Chromium at both ends: what getStats says is what people see."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from pydantic import TypeAdapter

from testing.chromium import chromium
from testing.webrtc.browsers import Room, rooms
from testing.webrtc.nodes import CONTROL, Node, node_here
from webrtc.shared.state import BridgeState, Role

BRIDGE = "lesson"
STATE: TypeAdapter[BridgeState] = TypeAdapter(BridgeState)
SMALL = {"width": 640, "height": 360}  # three layers of it are light enough for a machine that does all ends


@asynccontextmanager
async def lesson(*names: str) -> AsyncIterator[tuple[Node, tuple[Room, ...]]]:
    async with (
        asyncio.timeout(90),
        node_here() as node,
        chromium("--force-fieldtrials=WebRTC-LegacySimulcastLayerLimit/Disabled/") as browser,
        rooms(browser, node, BRIDGE, *names) as pages,
    ):
        await node.open_bridge(BRIDGE, names)
        yield node, pages


async def until_state(node: Node, holds: Callable[[BridgeState], bool]) -> None:
    async with node.events() as events:
        async for message in events:
            event = json.loads(message.data)
            states = [event["bridge"]] if event["type"] == "bridge" else event.get("bridges", [])
            if any(holds(STATE.validate_python(state)) for state in states):
                return


async def current(node: Node) -> BridgeState:
    async with node.http.get(f"{node.url}/v1/bridges", headers=CONTROL) as response:
        [state] = (await response.json())["bridges"]
    return STATE.validate_python(state)


def stage_of(state: BridgeState, viewer: str) -> str | None:
    return next(
        slot.source
        for participant in state.participants
        if participant.id == viewer
        for slot in participant.subscriptions[0].slots
        if slot.role is Role.STAGE
    )


def wanted_of(state: BridgeState, publisher: str) -> dict[str, bool]:
    return {
        track.rid: track.wanted
        for participant in state.participants
        if participant.id == publisher
        for track in participant.tracks
        if track.kind == "video"
    }


async def test_slot_follows_the_size_of_its_tile() -> None:
    async with lesson("a", "b") as (_, (a, b)):
        await a.publish(**SMALL)
        await b.play()
        await b.until("video[0]?.frameHeight === 360")
        assert await b.layout({"0": 180}) == 204
        await b.until("video[0].frameHeight === 180")
        assert await b.layout({"0": 90}) == 204
        await b.until("video[0].frameHeight === 90")
        assert await b.layout({"0": 360}) == 204
        await b.until("video[0].frameHeight === 360")
        frames = (await b.received())["0"]["framesDecoded"]
        await b.until(f"video[0].framesDecoded > {frames + 10}")


async def test_hidden_tile_gets_nothing_and_comes_back() -> None:
    async with lesson("a", "b") as (_, (a, b)):
        await a.publish(**SMALL)
        await b.play()
        await b.until("video[0]?.framesDecoded > 10")
        await b.layout({"0": 0})
        await b.until(
            """(() => {
              const [now, count] = [performance.now(), video[0].packetsReceived];
              if (window.seen?.count !== count) window.seen = { count, since: now };
              return now - window.seen.since > 500;
            })()"""
        )
        frames = (await b.received())["0"]["framesDecoded"]
        await b.layout({"0": 360})
        await b.until(f"video[0].framesDecoded > {frames + 10}")


async def test_layer_that_the_sender_stops_is_replaced() -> None:
    async with lesson("a", "b") as (_, (a, b)):
        await a.publish(**SMALL)
        await b.play()
        await b.until("video[0]?.frameHeight === 360")
        await a.activate("q", "h")
        await b.until("video[0].frameHeight === 180")
        await a.activate("q", "h", "f")
        await b.until("video[0].frameHeight === 360")


async def test_floor_changes_who_is_on_the_stage() -> None:
    async with lesson("a", "b", "c") as (node, (a, b, c)):
        await a.publish(**SMALL, colour="teal")
        await b.publish(**SMALL, colour="maroon", sound=False)
        await c.play(video=2, audio=2)
        await c.until("video[0]?.framesDecoded > 10 && video[1]?.framesDecoded > 10", timeout_s=40)
        for holder in ("b", "a", "b"):
            await node.open_bridge(BRIDGE, ["a", "b", "c"], floor=holder)
            await until_state(node, lambda state, holder=holder: stage_of(state, "c") == holder)  # type: ignore[misc]
            frames = (await c.received())["0"]["framesDecoded"]
            await c.until(f"video[0].framesDecoded > {frames + 10}")


async def test_state_reports_which_layers_are_wanted() -> None:
    async with lesson("a", "b") as (node, (a, b)):
        await b.play()
        await b.layout({"0": 90})
        await a.publish(**SMALL)
        await b.until("video[0]?.frameHeight === 90")
        # A layer is known once it has come: how many do, depends on what the machine can encode.
        await until_state(node, lambda state: len(wanted_of(state, "a")) > 1)
        await until_state(node, lambda state: [rid for rid, yes in wanted_of(state, "a").items() if yes] == ["q"])
        largest = "f" if "f" in wanted_of(await current(node), "a") else "h"
        await b.layout({"0": 360})
        await until_state(node, lambda state: wanted_of(state, "a")[largest])


async def test_h264_layers_and_a_player_of_h264() -> None:
    async with lesson("a", "b") as (_, (a, b)):
        await a.publish(**SMALL, codec="video/H264")
        await b.play(codec="video/H264")
        await b.until("video[0]?.frameHeight === 360")
        await b.layout({"0": 90})
        await b.until("video[0].frameHeight === 90")


async def test_codecs_that_both_ends_speak_pass_through() -> None:
    async with lesson("a", "b") as (_, (a, b)):
        for codec in ("video/VP9", "video/AV1"):
            await a.publish(**SMALL, codec=codec, layers=1)
            await b.play()
            await b.until("video[0]?.framesDecoded > 20")
            await b.page.evaluate("close('play')")


async def test_redundant_sound_reaches_those_who_take_it() -> None:
    async with lesson("a", "b") as (node, (a, b)):
        await a.publish(**SMALL, red=True)
        await b.play()
        await b.until("video[0]?.framesDecoded > 0")
        await until_state(node, lambda state: "RED" in {track.codec for track in state.participants[0].tracks})
        await b.until("audio[1].totalSamplesReceived - audio[1].concealedSamples > 48000")
