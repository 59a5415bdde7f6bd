import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { DisplayCall } from "../../api/types";
import { ScriptedPeer } from "../../webrtc/scriptedPeer";
import type { Capture } from "../capture/userMedia";
import { Call } from "./callClient";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const run = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

function order(change: Partial<DisplayCall> = {}): DisplayCall {
  return {
    lesson: "l1",
    title: "Sông Lam",
    epoch: "e1",
    spread_ms: 0,
    whip: { url: "/whip/b", token: "w1" },
    whep: { url: "/whep/b", token: "p1" },
    video: 1,
    audio: 1,
    rooms: [{ id: "r2", name: "Lớp 4B", school: "Lê Lợi", province: "Nghệ An", here: true, muted: false, camera_off: false }],
    slots: { "0": "r2", "1": "r2" },
    flows: { "0": "live", "1": "live" },
    slides: [],
    screen: { url: "/whip/b", token: "s1", client: "d1-screen", epoch: "e1" },
    sharing: null,
    layers: {},
    mode: "discussion",
    floor: null,
    speaking: null,
    muted: false,
    camera_off: false,
    may_leave: true,
    ...change,
  };
}

class FakeTrack {
  onended: (() => void) | null = null;
  constructor(readonly kind: string) {}
}

/** `track`: its picture. */
function fakeStream(): { stream: MediaStream; track: FakeTrack } {
  const [sound, track] = [new FakeTrack("audio"), new FakeTrack("video")];
  const stream = { getTracks: () => [sound, track], getAudioTracks: () => [sound], getVideoTracks: () => [track] };
  return { stream: stream as unknown as MediaStream, track };
}

/** A room's display with a camera that answers in `opensInMs`, and everything it did. */
function display(camera: Capture["camera"] = "ok", opensInMs = 0) {
  const players: ScriptedPeer[] = [];
  const publishers: ScriptedPeer[] = [];
  const cameraLog: string[] = [];
  const source = fakeStream();
  const other = fakeStream();
  const settings: { camera: Capture["camera"]; other: MediaStream | null } = { camera, other: other.stream };
  const call = new Call(
    {
      player: (video, audio) => {
        const peer = new ScriptedPeer();
        peer.log.push(`slots ${video}+${audio}`);
        players.push(peer);
        return peer;
      },
      publisher: () => {
        const peer = new ScriptedPeer();
        publishers.push(peer);
        return peer;
      },
      open: async () => {
        cameraLog.push("open");
        await new Promise((resolve) => setTimeout(resolve, opensInMs));
        return { stream: settings.camera === "ok" ? source.stream : null, camera: settings.camera };
      },
      withoutPicture: () => null,
      switchCamera: async (_, second) => {
        cameraLog.push(second ? "second" : "first");
        await new Promise((resolve) => setTimeout(resolve, opensInMs));
        return second ? settings.other : source.stream;
      },
      close: (_, kept) => cameraLog.push(kept === undefined ? "close" : "close the rest"),
      cores: 4,
    },
    () => undefined,
  );
  return { call, players, publishers, cameraLog, source, other, settings };
}

describe("joining", () => {
  it("does everything at once, and is joined without waiting for the camera", async () => {
    const { call, players, publishers, cameraLog } = display("ok", 800);
    call.want(order());
    await run(1);
    expect([players[0]?.log, publishers[0]?.log, cameraLog]).toEqual([["slots 1+1", "post p1"], ["post w1"], ["open"]]);
    expect(call.report()).toMatchObject({ joined: true, camera: "unknown", publishing: false });
    await run(900);
    expect(publishers[0]?.log).toEqual(["post w1", "send"]);
    expect(call.report()).toMatchObject({ joined: true, camera: "ok", publishing: true });
  });

  it("takes part by watching only when there is no camera and no microphone, and says so", async () => {
    const { call, publishers } = display("denied");
    call.want(order());
    await run(10);
    expect(publishers[0]?.log).toEqual(["post w1", "delete w1"]);
    expect(call.report()).toMatchObject({ joined: true, camera: "denied", publishing: false });
  });

  it("publishes as soon as a camera appears", async () => {
    const { call, publishers, settings } = display("missing");
    call.want(order());
    await run(10);
    settings.camera = "ok";
    call.captureChanged();
    await run(10);
    expect(publishers[1]?.log).toEqual(["send", "post w1"]);
    expect(call.report()).toMatchObject({ camera: "ok", publishing: true });
  });

  it("never leaves the camera open when the lesson ended while it was opening", async () => {
    const { call, cameraLog } = display("ok", 500);
    call.want(order());
    await run(100);
    call.want(null);
    await run(1_000);
    expect(cameraLog).toEqual(["open", "close"]);
    expect(call.view()).toMatchObject({ phase: "idle", own: null, camera: "unknown" });
  });
});

describe("during the lesson", () => {
  it("takes newer tokens and slots without disturbing anything", async () => {
    const { call, players, publishers } = display();
    call.want(order());
    await run(10);
    call.want(order({ whep: { url: "/whep/b", token: "p2" }, slots: { "0": null } }));
    await run(10);
    expect([players.length, publishers.length, call.view().received.slots]).toEqual([1, 1, { "0": null }]);
    call.want(null);
    expect(players[0]?.log).toEqual(["slots 1+1", "post p1", "delete p2"]);
  });

  it("joins another epoch at once with the camera still open", async () => {
    const { call, players, publishers, cameraLog } = display();
    call.want(order());
    await run(10);
    call.want(order({ epoch: "e2", whip: { url: "/whip/c", token: "w2" } }));
    await run(0);
    expect([players.length, cameraLog, publishers[1]?.log]).toEqual([2, ["open"], ["send", "post w2"]]);
    expect(call.view().phase).toBe("joined");
  });

  it("shows the old bridge's pictures until the new one's are there, and sends to both meanwhile", async () => {
    const { call, players, publishers } = display();
    call.want(order());
    await run(10);
    const [before] = players;
    before?.tracks.set("0", { kind: "video", id: "before" } as MediaStreamTrack);
    call.want(order({ epoch: "e2", slots: {} }));
    await run(500);
    players[1]?.tracks.set("0", { kind: "video", id: "after" } as MediaStreamTrack);
    expect([call.view().tracks.get("0")?.id, call.view().received.slots, publishers[0]?.state]).toEqual(["before", order().slots, "connected"]);
    if (players[1] !== undefined) players[1].frames = 1;
    await run(100);
    expect([call.view().tracks.get("0")?.id, call.view().received.slots, before?.state]).toEqual(["after", {}, "closed"]);
    await run(3_000);
    expect([publishers[0]?.state, publishers[1]?.state]).toEqual(["closed", "connected"]);
  });

  it("stays until its moment where the old bridge goes on, and then until all is there that was to be seen", async () => {
    const { call, players, publishers } = display();
    call.want(order({ video: 2, slots: { "0": "r2", "1": "r3" }, layers: { q: true } }));
    await run(10);
    for (const mid of ["0", "1"]) players[0]?.tracks.set(mid, { kind: "video" } as MediaStreamTrack);
    const before = players[0]?.tracks;
    call.want(order({ epoch: "e2", spread_ms: 1_500, slots: {}, layers: { q: false } }));
    expect([players.length, publishers[0]?.layers, call.view().received.slots["1"]]).toEqual([1, { q: true }, "r3"]);
    await run(1_500);
    expect([players.length, publishers.length, publishers[1]?.layers]).toEqual([2, 2, { q: false }]);
    if (players[1] !== undefined) players[1].stats = { framesDecoded: { "0": 5 } };
    await run(500);
    expect([call.view().tracks, call.view().received.slots["1"]]).toEqual([before, "r3"]);
    if (players[1] !== undefined) players[1].stats = { framesDecoded: { "0": 9, "1": 1 } };
    await run(100);
    expect([call.view().tracks === players[1]?.tracks, call.view().received.slots]).toEqual([true, {}]);
  });

  it("does not wait for its moment once the old bridge is lost", async () => {
    const { call, players } = display();
    call.want(order());
    await run(10);
    vi.spyOn(Math, "random").mockReturnValue(0.9);
    call.want(order({ epoch: "e2", spread_ms: 1_500 }));
    players[0]?.become("disconnected");
    await run(1);
    vi.restoreAllMocks();
    expect([players.length, call.view().phase]).toEqual([2, "joined"]);
  });

  it("goes over at once when the new bridge is told while the old one is being joined", async () => {
    const { call, players } = display();
    call.want(order());
    call.want(order({ epoch: "e2", whep: { url: "/whep/c", token: "p2" } }));
    await run(10);
    expect([players.map((each) => each.log.at(-1)), call.view().phase, call.view().received.slots]).toEqual([
      ["delete -", "post p2"],
      "joined",
      order().slots,
    ]);
  });

  it("tells each connection how large its slots are, and sends the layers that are wanted", async () => {
    const { call, players, publishers } = display();
    call.show({ "0": 700 });
    call.want(order({ layers: { q: true, f: false } }));
    await run(200);
    expect([players[0]?.heights, publishers[0]?.layers]).toEqual([{ "0": 700 }, { q: true, f: false }]);
    call.want(order({ layers: { q: true, f: true } }));
    expect(publishers[0]?.layers).toEqual({ q: true, f: true });
    players[0]?.become("failed");
    await run(500);
    expect(players[1]?.heights).toEqual({ "0": 700 });
  });

  it("asks for fewer and smaller pictures where the machine cannot decode them", async () => {
    const { call, players } = display();
    call.want(order());
    await run(10);
    for (let second = 0; second < 12; second += 1) {
      if (players[0] !== undefined) players[0].stats = { decodeTime: { "0": second * 3 } };
      if (players[0] !== undefined) players[0].frames += 20;
      await run(1_000);
    }
    expect([call.report().cpu_slow, call.view().caps.thumbnails]).toEqual([true, 4]);
  });

  it("leaves no timer behind when the lesson ends", async () => {
    const { call } = display();
    call.want(order());
    await run(10);
    call.show({ "0": 700 });
    call.want(order({ epoch: "e2" }));
    await run(50);
    call.want(null);
    await run(10);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("closes the camera between two lessons", async () => {
    const { call, cameraLog } = display();
    call.want(order());
    await run(10);
    call.want(order({ lesson: "l2" }));
    await run(10);
    expect(cameraLog).toEqual(["open", "close", "open"]);
  });

  it("counts frames on over renewed connections, and renews one that stands still", async () => {
    const { call, players } = display();
    call.want(order());
    await run(10);
    if (players[0] !== undefined) players[0].frames = 30;
    await run(1_000);
    expect(call.report()).toMatchObject({ playing: 1, frames_decoded: 30, audio_energy: 3 });
    await run(4_000);
    expect(players).toHaveLength(2);
    if (players[1] !== undefined) players[1].frames = 12;
    await run(1_000);
    expect(call.report()).toMatchObject({ frames_decoded: 42 });
  });

  it("opens the camera again when it was unplugged", async () => {
    const { call, cameraLog, source } = display();
    call.want(order());
    await run(10);
    source.track.onended?.();
    expect(call.report().camera).toBe("missing");
    await run(10);
    expect([call.report().camera, cameraLog[1]]).toEqual(["ok", "open"]);
  });
});

describe("without the controller", () => {
  it("goes on as long as the bridge is there", async () => {
    const { call, cameraLog } = display();
    call.want(order({ slots: {} }));
    await run(10);
    call.controllerLost();
    await run(120_000);
    expect([call.view().phase, cameraLog]).toEqual(["joined", ["open"]]);
  });

  it("switches the camera off when the bridge is lost too", async () => {
    const { call, players, publishers, cameraLog } = display();
    call.want(order());
    await run(10);
    call.controllerLost();
    for (let second = 0; second < 40; second += 1) {
      players.at(-1)?.become("failed");
      publishers.at(-1)?.become("failed");
      await run(1_000);
      players.at(-1)?.become("failed");
    }
    expect(cameraLog).toEqual(["open", "close"]);
    expect(call.view().phase).toBe("idle");
  });
});

it("leaves with requests that outlive the page", async () => {
  const { call, players, publishers, cameraLog } = display();
  call.want(order());
  await run(10);
  call.leave();
  expect([players[0]?.log.at(-1), publishers[0]?.log.at(-1), cameraLog]).toEqual([
    "delete p1 leaving",
    "delete w1 leaving",
    ["open", "close"],
  ]);
});

describe("the second camera", () => {
  it("takes the first one's place, and gives it back", async () => {
    const { call, publishers, cameraLog, other } = display();
    call.want(order());
    await run(50);
    void call.useCamera(true);
    await run(50);
    expect([call.view().second, call.view().own, call.report().camera]).toEqual([true, other.stream, "ok"]);
    expect(publishers.map((each) => each.log)).toEqual([["post w1", "send", "send"]]); // no new connection
    void call.useCamera(false);
    await run(50);
    expect([call.view().second, cameraLog]).toEqual([false, ["open", "second", "close the rest", "first", "close the rest"]]);
  });

  it("that cannot be opened leaves the first as it is, and is said", async () => {
    const { call, publishers, settings, source } = display();
    settings.other = null;
    call.want(order());
    await run(50);
    void call.useCamera(true);
    await run(50);
    const { second, notSwitched, own } = call.view();
    expect([second, notSwitched, own, publishers[0]?.log]).toEqual([false, true, source.stream, ["post w1", "send"]]);
  });

  it("that is unplugged is followed by the first", async () => {
    const { call, cameraLog, other } = display();
    call.want(order());
    await run(50);
    void call.useCamera(true);
    await run(50);
    other.track.onended?.();
    await run(50);
    expect([call.view().second, call.report().camera, cameraLog.at(-2)]).toEqual([false, "ok", "open"]);
  });

  it("is closed with the lesson, even if that ends while it opens", async () => {
    const { call, cameraLog } = display("ok", 300);
    call.want(order());
    await run(400);
    void call.useCamera(true);
    await run(100);
    call.want(null);
    await run(400);
    expect([call.view().second, call.view().own, cameraLog]).toEqual([false, null, ["open", "second", "close", "close"]]);
  });

  it("does not keep the next lesson from the first one", async () => {
    const { call, cameraLog } = display("ok", 300);
    call.want(order());
    await run(400);
    void call.useCamera(true);
    await run(100);
    call.want(order({ lesson: "l2" }));
    await run(600);
    expect([call.report().camera, cameraLog.at(-1)]).toEqual(["ok", "open"]);
  });
});
