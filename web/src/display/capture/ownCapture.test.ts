import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { NO_CHOICE, storeChoice } from "./deviceChoice";
import { Own } from "./ownCapture";
import { closeCapture, openCapture, switchCamera, withoutPicture } from "./userMedia";

const KINDS = { audio: "audioinput", video: "videoinput" } as const;
type Kind = keyof typeof KINDS;

class FakeTrack {
  onended: (() => void) | null = null;
  readyState = "live";
  enabled = true;
  constructor(
    readonly kind: Kind,
    readonly device: string,
  ) {}
  getSettings = (): MediaTrackSettings => ({ deviceId: this.device });
  stop(): void {
    this.readyState = "ended";
  }
}

class FakeStream {
  constructor(readonly tracks: FakeTrack[]) {}
  getTracks = (): FakeTrack[] => this.tracks;
  getAudioTracks = (): FakeTrack[] => this.tracks.filter((each) => each.kind === "audio");
  getVideoTracks = (): FakeTrack[] => this.tracks.filter((each) => each.kind === "video");
}

/** A machine's devices, in the order of its preference, each of which opens in `opensInMs`. */
class Machine {
  opensInMs = 0;
  readonly busy = new Set<string>();
  /** What was asked for. */
  readonly asked: string[] = [];
  readonly tracks: FakeTrack[] = [];
  constructor(readonly devices: { kind: MediaDeviceKind; deviceId: string; label: string }[]) {}

  enumerateDevices = async (): Promise<object[]> => Promise.resolve([...this.devices]);

  getUserMedia = async (wanted: Record<Kind, MediaTrackConstraints | undefined>): Promise<FakeStream> => {
    const kinds = (["audio", "video"] as const).filter((kind) => wanted[kind] !== undefined);
    this.asked.push(kinds.join("+"));
    const found = kinds.map((kind) => this.find(kind, wanted[kind]?.deviceId as ConstrainDOMStringParameters | undefined));
    await new Promise((resolve) => setTimeout(resolve, this.opensInMs));
    const opened = found.map((each) => {
      if (each instanceof DOMException) throw each;
      return each;
    });
    this.tracks.push(...opened);
    return new FakeStream(opened);
  };

  get open(): string[] {
    return this.tracks.filter((each) => each.readyState === "live").map((each) => each.device);
  }

  private find(kind: Kind, id: ConstrainDOMStringParameters | undefined): FakeTrack | DOMException {
    const ofKind = this.devices.filter((each) => each.kind === KINDS[kind]);
    const found = ofKind.find((each) => each.deviceId === (id?.exact ?? id?.ideal)) ?? ofKind[0];
    if (found === undefined) return new DOMException("", "NotFoundError");
    if (this.busy.has(found.deviceId)) return new DOMException("", "NotReadableError");
    return new FakeTrack(kind, found.deviceId);
  }
}

const microphone = { kind: "audioinput", deviceId: "microphone", label: "Jabra" } as const;
const webcamSound = { kind: "audioinput", deviceId: "webcam's", label: "Webcam" } as const;
const camera = { kind: "videoinput", deviceId: "camera", label: "Logitech" } as const;
const second = { kind: "videoinput", deviceId: "second", label: "Elmo" } as const;

let stored: Record<string, string> = {};
beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("MediaStream", FakeStream);
  vi.stubGlobal("localStorage", { getItem: (key: string) => stored[key] ?? null, setItem: (key: string, value: string) => (stored[key] = value) });
});
afterEach(() => {
  stored = {};
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

const run = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

/** A room in a lesson: `sent` are the devices whose tracks the others were sent, in turn. */
function room(...devices: Machine["devices"]) {
  const machine = new Machine(devices);
  vi.stubGlobal("navigator", { mediaDevices: machine });
  const sent: string[] = [];
  const own = new Own(
    { open: openCapture, withoutPicture, switchCamera, close: closeCapture },
    (stream) => sent.push((stream as FakeStream | null)?.tracks.map((each) => each.device).join("+") ?? "nothing"),
    () => undefined,
  );
  const unplug = (device: Machine["devices"][number]): void => {
    machine.devices.splice(machine.devices.indexOf(device), 1);
    for (const track of machine.tracks.filter((each) => each.device === device.deviceId && each.readyState === "live")) {
      track.stop();
      track.onended?.();
    }
    own.devicesChanged(false);
  };
  const plug = (device: Machine["devices"][number]): void => {
    machine.devices.push(device);
    own.devicesChanged(false);
  };
  return { own, machine, sent, plug, unplug };
}

describe("what was unplugged", () => {
  it.each([
    [microphone, "camera", "camera+microphone"],
    [camera, "microphone", "microphone+camera"],
  ])("comes back, and the other one goes on: $label", async (device, alone, both) => {
    const { own, machine, sent, plug, unplug } = room(microphone, camera);
    own.start();
    await run(10);
    unplug(device);
    await run(10);
    plug(device);
    await run(10);
    expect([sent, own.camera]).toEqual([["microphone+camera", alone, both], "ok"]);
    expect(machine.tracks.map((each) => each.device)).toEqual(["microphone", "camera", device.deviceId]);
  });

  it("is said of the camera at once, and of the camera alone", async () => {
    const { own, machine, unplug } = room(microphone, camera);
    own.start();
    await run(10);
    machine.opensInMs = 500;
    unplug(microphone);
    expect(own.camera).toBe("ok");
    unplug(camera);
    expect(own.camera).toBe("missing");
  });

  it("is taken back when it was plugged in while it was still being looked for", async () => {
    const { own, machine, sent, plug, unplug } = room(microphone, camera);
    own.start();
    await run(10);
    machine.opensInMs = 800;
    unplug(camera);
    await run(100);
    plug(camera);
    await run(2_000);
    expect([sent.at(-1), own.camera]).toEqual(["microphone+camera", "ok"]);
  });

  it("is taken back from what stood in for it, if it was chosen", async () => {
    storeChoice({ ...NO_CHOICE, microphone: { id: "microphone", label: "Jabra" } });
    const { own, machine, sent, plug, unplug } = room(webcamSound, microphone, camera);
    own.start();
    await run(10);
    unplug(microphone);
    await run(10);
    plug(microphone);
    await run(10);
    expect(sent).toEqual(["microphone+camera", "camera+webcam's", "camera+microphone"]);
    expect(machine.open).toEqual(["camera", "microphone"]);
  });
});

describe("what cannot be opened", () => {
  it.each([
    [microphone, "audio"],
    [camera, "video"],
  ])("is tried again until it can, and the other one goes on: $label", async (device, kind) => {
    const { own, machine, sent } = room(microphone, camera);
    machine.busy.add(device.deviceId);
    own.start();
    await run(15_000);
    machine.busy.clear(); // another program has let go of it: no device has changed
    await run(60_000);
    expect(machine.asked.slice(-2)).toEqual([kind, kind]);
    expect([sent.length, own.camera, machine.tracks.length, vi.getTimerCount()]).toEqual([2, "ok", 2, 0]);
  });

  it("leaves what stands in for it", async () => {
    storeChoice({ ...NO_CHOICE, microphone: { id: "microphone", label: "Jabra" } });
    const { own, machine, sent, plug } = room(webcamSound, camera);
    own.start();
    await run(10);
    machine.busy.add("microphone");
    plug(microphone);
    await run(10);
    expect([sent, machine.open]).toEqual([["webcam's+camera"], ["webcam's", "camera"]]);
  });

  it("is not tried again after the lesson, and nothing stays open", async () => {
    const { own, machine } = room(microphone, camera);
    machine.busy.add("camera");
    own.start();
    await run(15_000);
    machine.busy.clear();
    machine.opensInMs = 500;
    await run(5_100);
    own.stop(); // while the camera opens
    await run(60_000);
    expect([machine.tracks.length, machine.open, own.stream, vi.getTimerCount()]).toEqual([2, [], null, 0]);
  });
});

it("opens everything anew when others were chosen, even while something opens", async () => {
  const { own, machine } = room(microphone, camera);
  machine.opensInMs = 500;
  own.start();
  await run(100);
  own.devicesChanged(true);
  own.devicesChanged(false);
  await run(2_000);
  expect([machine.asked, machine.open]).toEqual([["audio+video", "audio+video"], ["microphone", "camera"]]);
});

it("leaves the second camera's picture when the microphone comes back", async () => {
  storeChoice({ ...NO_CHOICE, camera: { id: "camera", label: "Logitech" }, second: { id: "second", label: "Elmo" } });
  const { own, sent, plug } = room(camera, second);
  own.start();
  await run(10);
  void own.use(true);
  await run(10);
  plug(microphone);
  await run(10);
  expect([own.second, sent]).toEqual([true, ["camera", "second", "second+microphone"]]);
});

describe("what a class keeps to itself", () => {
  const OPEN = { muted: false, dark: false };

  it("is a camera that is closed, and opens again beside the same microphone", async () => {
    const { own, machine, sent } = room(microphone, camera);
    own.start();
    await run(10);
    own.keep({ ...OPEN, dark: true });
    expect([sent.at(-1), machine.open, own.camera]).toEqual(["microphone", ["microphone"], "unknown"]);
    await run(60_000); // and is not opened behind its back
    expect(machine.open).toEqual(["microphone"]);
    own.keep(OPEN);
    await run(10);
    expect([sent.at(-1), machine.open, own.camera]).toEqual(["microphone+camera", ["microphone", "camera"], "ok"]);
  });

  it("is a camera that is never opened where the class has it off from the beginning", async () => {
    const { own, machine, sent } = room(microphone, camera);
    own.keep({ ...OPEN, dark: true });
    own.start();
    await run(60_000);
    expect([sent, machine.asked]).toEqual([["microphone"], ["audio"]]);
  });

  it("is a camera that was opening when it was turned off, and the other way round", async () => {
    const { own, machine, sent } = room(microphone, camera);
    machine.opensInMs = 500;
    own.start();
    await run(100);
    own.keep({ ...OPEN, dark: true });
    await run(2_000);
    expect([sent.at(-1), machine.open]).toEqual(["microphone", ["microphone"]]);
    own.keep(OPEN);
    await run(100);
    own.keep({ ...OPEN, dark: true });
    await run(2_000);
    expect(machine.open).toEqual(["microphone"]);
    own.keep(OPEN);
    await run(2_000);
    expect([sent.at(-1), machine.open]).toEqual(["microphone+camera", ["microphone", "camera"]]);
  });

  it("is silence from every microphone that it has, and sound again", async () => {
    const { own, machine, plug, unplug } = room(microphone, camera);
    const sounds = (): boolean[] => machine.tracks.filter((each) => each.kind === "audio" && each.readyState === "live").map((each) => each.enabled);
    own.keep({ ...OPEN, muted: true });
    own.start();
    await run(10);
    expect(sounds()).toEqual([false]);
    unplug(microphone);
    plug(microphone);
    await run(10);
    expect(sounds()).toEqual([false]);
    own.keep(OPEN);
    expect(sounds()).toEqual([true]);
  });

  it("is forgotten with the lesson, and opens nothing at its end", async () => {
    const { own, machine, sent } = room(microphone, camera);
    own.start();
    await run(10);
    own.keep({ muted: true, dark: true });
    own.stop();
    await run(2_000);
    expect([machine.open, machine.asked]).toEqual([[], ["audio+video"]]);
    own.start();
    await run(10);
    expect(sent.at(-1)).toBe("microphone+camera");
  });

  it("is all a room without a microphone has to send", async () => {
    const { own, sent } = room(camera);
    own.start();
    await run(10);
    own.keep({ ...OPEN, dark: true });
    await run(10);
    expect(sent).toEqual(["camera", "nothing"]);
  });
});
