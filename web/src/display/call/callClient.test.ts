import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { DisplayCall } from "../../api/types";
import { ScriptedPeer } from "../../webrtc/scriptedPeer";
import type { Capture } from "../capture/userMedia";
import { CallClient } from "./callClient";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const run = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

function displayCall(change: Partial<DisplayCall> = {}): DisplayCall {
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

/** `track`: its video track. */
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
  const client = new CallClient(
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
      switchCamera: async (_, secondCamera) => {
        cameraLog.push(secondCamera ? "second" : "first");
        await new Promise((resolve) => setTimeout(resolve, opensInMs));
        return secondCamera ? settings.other : source.stream;
      },
      close: (_, kept) => cameraLog.push(kept === undefined ? "close" : "close the rest"),
      cores: 4,
    },
    () => undefined,
  );
  return { client, players, publishers, cameraLog, source, other, settings };
}

describe("joining", () => {
  it("does everything at once, and is joined without waiting for the camera", async () => {
    const { client, players, publishers, cameraLog } = display("ok", 800);
    client.setCall(displayCall());
    await run(1);
    expect([players[0]?.log, publishers[0]?.log, cameraLog]).toEqual([["slots 1+1", "post p1"], ["post w1"], ["open"]]);
    expect(client.report()).toMatchObject({ joined: true, camera: "unknown", publishing: false });
    await run(900);
    expect(publishers[0]?.log).toEqual(["post w1", "send"]);
    expect(client.report()).toMatchObject({ joined: true, camera: "ok", publishing: true });
  });

  it("takes part by watching only when there is no camera and no microphone, and says so", async () => {
    const { client, publishers } = display("denied");
    client.setCall(displayCall());
    await run(10);
    expect(publishers[0]?.log).toEqual(["post w1", "delete w1"]);
    expect(client.report()).toMatchObject({ joined: true, camera: "denied", publishing: false });
  });

  it("publishes as soon as a camera appears", async () => {
    const { client, publishers, settings } = display("missing");
    client.setCall(displayCall());
    await run(10);
    settings.camera = "ok";
    client.captureChanged();
    await run(10);
    expect(publishers[1]?.log).toEqual(["send", "post w1"]);
    expect(client.report()).toMatchObject({ camera: "ok", publishing: true });
  });

  it("never leaves the camera open when the lesson ended while it was opening", async () => {
    const { client, cameraLog } = display("ok", 500);
    client.setCall(displayCall());
    await run(100);
    client.setCall(null);
    await run(1_000);
    expect(cameraLog).toEqual(["open", "close"]);
    expect(client.state()).toMatchObject({ phase: "idle", ownStream: null, camera: "unknown" });
  });
});

describe("during the lesson", () => {
  it("takes newer tokens and slots without disturbing anything", async () => {
    const { client, players, publishers } = display();
    client.setCall(displayCall());
    await run(10);
    client.setCall(displayCall({ whep: { url: "/whep/b", token: "p2" }, slots: { "0": null } }));
    await run(10);
    expect([players.length, publishers.length, client.state().received.slots]).toEqual([1, 1, { "0": null }]);
    client.setCall(null);
    expect(players[0]?.log).toEqual(["slots 1+1", "post p1", "delete p2"]);
  });

  it("joins another epoch at once with the camera still open", async () => {
    const { client, players, publishers, cameraLog } = display();
    client.setCall(displayCall());
    await run(10);
    client.setCall(displayCall({ epoch: "e2", whip: { url: "/whip/c", token: "w2" } }));
    await run(0);
    expect([players.length, cameraLog, publishers[1]?.log]).toEqual([2, ["open"], ["send", "post w2"]]);
    expect(client.state().phase).toBe("joined");
  });

  it("shows the old bridge's pictures until the new one's are there, and sends to both meanwhile", async () => {
    const { client, players, publishers } = display();
    client.setCall(displayCall());
    await run(10);
    const [before] = players;
    before?.tracks.set("0", { kind: "video", id: "before" } as MediaStreamTrack);
    client.setCall(displayCall({ epoch: "e2", slots: {} }));
    await run(500);
    players[1]?.tracks.set("0", { kind: "video", id: "after" } as MediaStreamTrack);
    expect([client.state().tracks.get("0")?.id, client.state().received.slots, publishers[0]?.state]).toEqual(["before", displayCall().slots, "connected"]);
    if (players[1] !== undefined) players[1].frames = 1;
    await run(100);
    expect([client.state().tracks.get("0")?.id, client.state().received.slots, before?.state]).toEqual(["after", {}, "closed"]);
    await run(3_000);
    expect([publishers[0]?.state, publishers[1]?.state]).toEqual(["closed", "connected"]);
  });

  it("switches at a random moment where the old bridge goes on, and shows it until as many pictures come", async () => {
    const { client, players, publishers } = display();
    client.setCall(displayCall({ video: 2, slots: { "0": "r2", "1": "r3" }, layers: { q: true } }));
    await run(10);
    for (const mid of ["0", "1"]) players[0]?.tracks.set(mid, { kind: "video" } as MediaStreamTrack);
    const before = players[0]?.tracks;
    client.setCall(displayCall({ epoch: "e2", spread_ms: 1_500, slots: {}, layers: { q: false } }));
    expect([players.length, publishers[0]?.layers, client.state().received.slots["1"]]).toEqual([1, { q: true }, "r3"]);
    await run(1_500);
    expect([players.length, publishers.length, publishers[1]?.layers]).toEqual([2, 2, { q: false }]);
    if (players[1] !== undefined) players[1].stats = { framesDecoded: { "0": 5 } };
    await run(500);
    expect([client.state().tracks, client.state().received.slots["1"]]).toEqual([before, "r3"]);
    if (players[1] !== undefined) players[1].stats = { framesDecoded: { "0": 9, "1": 1 } };
    await run(100);
    expect([client.state().tracks === players[1]?.tracks, client.state().received.slots]).toEqual([true, {}]);
  });

  it("switches at once when the old bridge is lost", async () => {
    const { client, players } = display();
    client.setCall(displayCall());
    await run(10);
    vi.spyOn(Math, "random").mockReturnValue(0.9);
    client.setCall(displayCall({ epoch: "e2", spread_ms: 1_500 }));
    players[0]?.become("disconnected");
    await run(1);
    vi.restoreAllMocks();
    expect([players.length, client.state().phase]).toEqual([2, "joined"]);
  });

  it("switches at once when another epoch comes while it joins", async () => {
    const { client, players } = display();
    client.setCall(displayCall());
    client.setCall(displayCall({ epoch: "e2", whep: { url: "/whep/c", token: "p2" } }));
    await run(10);
    expect([players.map((each) => each.log.at(-1)), client.state().phase, client.state().received.slots]).toEqual([
      ["delete -", "post p2"],
      "joined",
      displayCall().slots,
    ]);
  });

  it("tells each connection how large its slots are, and sends the layers that are wanted", async () => {
    const { client, players, publishers } = display();
    client.setSlotHeights({ "0": 700 });
    client.setCall(displayCall({ layers: { q: true, f: false } }));
    await run(200);
    expect([players[0]?.heights, publishers[0]?.layers]).toEqual([{ "0": 700 }, { q: true, f: false }]);
    client.setCall(displayCall({ layers: { q: true, f: true } }));
    expect(publishers[0]?.layers).toEqual({ q: true, f: true });
    players[0]?.become("failed");
    await run(500);
    expect(players[1]?.heights).toEqual({ "0": 700 });
  });

  it("asks for fewer and smaller pictures where the machine cannot decode them", async () => {
    const { client, players } = display();
    client.setCall(displayCall());
    await run(10);
    for (let second = 0; second < 12; second += 1) {
      if (players[0] !== undefined) players[0].stats = { decodeTime: { "0": second * 3 } };
      if (players[0] !== undefined) players[0].frames += 20;
      await run(1_000);
    }
    expect([client.report().cpu_slow, client.state().limits.thumbnails]).toEqual([true, 4]);
  });

  it("leaves no timer behind when the lesson ends", async () => {
    const { client } = display();
    client.setCall(displayCall());
    await run(10);
    client.setSlotHeights({ "0": 700 });
    client.setCall(displayCall({ epoch: "e2" }));
    await run(50);
    client.setCall(null);
    await run(10);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("closes the camera between two lessons", async () => {
    const { client, cameraLog } = display();
    client.setCall(displayCall());
    await run(10);
    client.setCall(displayCall({ lesson: "l2" }));
    await run(10);
    expect(cameraLog).toEqual(["open", "close", "open"]);
  });

  it("counts frames on over renewed connections, and renews one that stands still", async () => {
    const { client, players } = display();
    client.setCall(displayCall());
    await run(10);
    if (players[0] !== undefined) players[0].frames = 30;
    await run(1_000);
    expect(client.report()).toMatchObject({ playing: 1, frames_decoded: 30, audio_energy: 3 });
    await run(4_000);
    expect(players).toHaveLength(2);
    if (players[1] !== undefined) players[1].frames = 12;
    await run(1_000);
    expect(client.report()).toMatchObject({ frames_decoded: 42 });
  });

  it("opens the camera again when it was unplugged", async () => {
    const { client, cameraLog, source } = display();
    client.setCall(displayCall());
    await run(10);
    source.track.onended?.();
    expect(client.report().camera).toBe("missing");
    await run(10);
    expect([client.report().camera, cameraLog[1]]).toEqual(["ok", "open"]);
  });
});

describe("without the controller", () => {
  it("goes on as long as the bridge is there", async () => {
    const { client, cameraLog } = display();
    client.setCall(displayCall({ slots: {} }));
    await run(10);
    client.controllerLost();
    await run(120_000);
    expect([client.state().phase, cameraLog]).toEqual(["joined", ["open"]]);
  });

  it("switches the camera off when the bridge is lost too", async () => {
    const { client, players, publishers, cameraLog } = display();
    client.setCall(displayCall());
    await run(10);
    client.controllerLost();
    for (let second = 0; second < 40; second += 1) {
      players.at(-1)?.become("failed");
      publishers.at(-1)?.become("failed");
      await run(1_000);
      players.at(-1)?.become("failed");
    }
    expect(cameraLog).toEqual(["open", "close"]);
    expect(client.state().phase).toBe("idle");
  });
});

it("leaves with requests that outlive the page", async () => {
  const { client, players, publishers, cameraLog } = display();
  client.setCall(displayCall());
  await run(10);
  client.leave();
  expect([players[0]?.log.at(-1), publishers[0]?.log.at(-1), cameraLog]).toEqual([
    "delete p1 leaving",
    "delete w1 leaving",
    ["open", "close"],
  ]);
});

describe("the second camera", () => {
  it("takes the first one's place, and gives it back", async () => {
    const { client, publishers, cameraLog, other } = display();
    client.setCall(displayCall());
    await run(50);
    void client.useCamera(true);
    await run(50);
    expect([client.state().secondCamera, client.state().ownStream, client.report().camera]).toEqual([true, other.stream, "ok"]);
    expect(publishers.map((each) => each.log)).toEqual([["post w1", "send", "send"]]); // no new connection
    void client.useCamera(false);
    await run(50);
    expect([client.state().secondCamera, cameraLog]).toEqual([false, ["open", "second", "close the rest", "first", "close the rest"]]);
  });

  it("that cannot be opened leaves the first as it is, and is said", async () => {
    const { client, publishers, settings, source } = display();
    settings.other = null;
    client.setCall(displayCall());
    await run(50);
    void client.useCamera(true);
    await run(50);
    const { secondCamera, switchFailed, ownStream } = client.state();
    expect([secondCamera, switchFailed, ownStream, publishers[0]?.log]).toEqual([false, true, source.stream, ["post w1", "send"]]);
  });

  it("that is unplugged is followed by the first", async () => {
    const { client, cameraLog, other } = display();
    client.setCall(displayCall());
    await run(50);
    void client.useCamera(true);
    await run(50);
    other.track.onended?.();
    await run(50);
    expect([client.state().secondCamera, client.report().camera, cameraLog.at(-2)]).toEqual([false, "ok", "open"]);
  });

  it("is closed with the lesson, even if that ends while it opens", async () => {
    const { client, cameraLog } = display("ok", 300);
    client.setCall(displayCall());
    await run(400);
    void client.useCamera(true);
    await run(100);
    client.setCall(null);
    await run(400);
    expect([client.state().secondCamera, client.state().ownStream, cameraLog]).toEqual([false, null, ["open", "second", "close", "close"]]);
  });

  it("does not keep the next lesson from the first one", async () => {
    const { client, cameraLog } = display("ok", 300);
    client.setCall(displayCall());
    await run(400);
    void client.useCamera(true);
    await run(100);
    client.setCall(displayCall({ lesson: "l2" }));
    await run(600);
    expect([client.report().camera, cameraLog.at(-1)]).toEqual(["ok", "open"]);
  });
});
