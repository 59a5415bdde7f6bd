import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { NO_CHOICE, storeChoice } from "./deviceChoice";
import { OwnCapture } from "./ownCapture";
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
const secondCamera = { kind: "videoinput", deviceId: "second", label: "Elmo" } as const;

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

/** A room in a lesson. `sent`: the devices of each stream that it sent, in turn. */
function room(...devices: Machine["devices"]) {
  const machine = new Machine(devices);
  vi.stubGlobal("navigator", { mediaDevices: machine });
  const sent: string[] = [];
  const capture = new OwnCapture(
    { open: openCapture, withoutPicture, switchCamera, close: closeCapture },
    (stream) => sent.push((stream as FakeStream | null)?.tracks.map((each) => each.device).join("+") ?? "none"),
    () => undefined,
  );
  const unplug = (device: Machine["devices"][number]): void => {
    machine.devices.splice(machine.devices.indexOf(device), 1);
    for (const track of machine.tracks.filter((each) => each.device === device.deviceId && each.readyState === "live")) {
      track.stop();
      track.onended?.();
    }
    capture.devicesChanged(false);
  };
  const plug = (device: Machine["devices"][number]): void => {
    machine.devices.push(device);
    capture.devicesChanged(false);
  };
  return { capture, machine, sent, plug, unplug };
}

describe("what was unplugged", () => {
  it.each([
    [microphone, "camera", "camera+microphone"],
    [camera, "microphone", "microphone+camera"],
  ])("comes back, and the other one goes on: $label", async (device, alone, both) => {
    const { capture, machine, sent, plug, unplug } = room(microphone, camera);
    capture.start();
    await run(10);
    unplug(device);
    await run(10);
    plug(device);
    await run(10);
    expect([sent, capture.camera]).toEqual([["microphone+camera", alone, both], "ok"]);
    expect(machine.tracks.map((each) => each.device)).toEqual(["microphone", "camera", device.deviceId]);
  });

  it("is said of the camera at once, and of the camera alone", async () => {
    const { capture, machine, unplug } = room(microphone, camera);
    capture.start();
    await run(10);
    machine.opensInMs = 500;
    unplug(microphone);
    expect(capture.camera).toBe("ok");
    unplug(camera);
    expect(capture.camera).toBe("missing");
  });

  it("is taken back when it was plugged in while it was still being looked for", async () => {
    const { capture, machine, sent, plug, unplug } = room(microphone, camera);
    capture.start();
    await run(10);
    machine.opensInMs = 800;
    unplug(camera);
    await run(100);
    plug(camera);
    await run(2_000);
    expect([sent.at(-1), capture.camera]).toEqual(["microphone+camera", "ok"]);
  });

  it("is taken back from what stood in for it, if it was chosen", async () => {
    storeChoice({ ...NO_CHOICE, microphone: { id: "microphone", label: "Jabra" } });
    const { capture, machine, sent, plug, unplug } = room(webcamSound, microphone, camera);
    capture.start();
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
    const { capture, machine, sent } = room(microphone, camera);
    machine.busy.add(device.deviceId);
    capture.start();
    await run(15_000);
    machine.busy.clear(); // another program has let go of it: no device has changed
    await run(60_000);
    expect(machine.asked.slice(-2)).toEqual([kind, kind]);
    expect([sent.length, capture.camera, machine.tracks.length, vi.getTimerCount()]).toEqual([2, "ok", 2, 0]);
  });

  it("leaves what stands in for it", async () => {
    storeChoice({ ...NO_CHOICE, microphone: { id: "microphone", label: "Jabra" } });
    const { capture, machine, sent, plug } = room(webcamSound, camera);
    capture.start();
    await run(10);
    machine.busy.add("microphone");
    plug(microphone);
    await run(10);
    expect([sent, machine.open]).toEqual([["webcam's+camera"], ["webcam's", "camera"]]);
  });

  it("is not tried again after the lesson, and nothing stays open", async () => {
    const { capture, machine } = room(microphone, camera);
    machine.busy.add("camera");
    capture.start();
    await run(15_000);
    machine.busy.clear();
    machine.opensInMs = 500;
    await run(5_100);
    capture.stop(); // while the camera opens
    await run(60_000);
    expect([machine.tracks.length, machine.open, capture.stream, vi.getTimerCount()]).toEqual([2, [], null, 0]);
  });
});

it("opens all devices again when others were chosen, even while something opens", async () => {
  const { capture, machine } = room(microphone, camera);
  machine.opensInMs = 500;
  capture.start();
  await run(100);
  capture.devicesChanged(true);
  capture.devicesChanged(false);
  await run(2_000);
  expect([machine.asked, machine.open]).toEqual([["audio+video", "audio+video"], ["microphone", "camera"]]);
});

it("leaves the second camera's picture when the microphone comes back", async () => {
  storeChoice({ ...NO_CHOICE, camera: { id: "camera", label: "Logitech" }, second: { id: "second", label: "Elmo" } });
  const { capture, sent, plug } = room(camera, secondCamera);
  capture.start();
  await run(10);
  void capture.useCamera(true);
  await run(10);
  plug(microphone);
  await run(10);
  expect([capture.secondCamera, sent]).toEqual([true, ["camera", "second", "second+microphone"]]);
});

describe("what a class keeps to itself", () => {
  const OPEN = { muted: false, cameraOff: false };

  it("is a camera that is closed, and opens again beside the same microphone", async () => {
    const { capture, machine, sent } = room(microphone, camera);
    capture.start();
    await run(10);
    capture.setSending({ ...OPEN, cameraOff: true });
    expect([sent.at(-1), machine.open, capture.camera]).toEqual(["microphone", ["microphone"], "unknown"]);
    await run(60_000); // and is not opened behind its back
    expect(machine.open).toEqual(["microphone"]);
    capture.setSending(OPEN);
    await run(10);
    expect([sent.at(-1), machine.open, capture.camera]).toEqual(["microphone+camera", ["microphone", "camera"], "ok"]);
  });

  it("is a camera that is never opened where the class has it off from the beginning", async () => {
    const { capture, machine, sent } = room(microphone, camera);
    capture.setSending({ ...OPEN, cameraOff: true });
    capture.start();
    await run(60_000);
    expect([sent, machine.asked]).toEqual([["microphone"], ["audio"]]);
  });

  it("is a camera that was opening when it was turned off, and the other way round", async () => {
    const { capture, machine, sent } = room(microphone, camera);
    machine.opensInMs = 500;
    capture.start();
    await run(100);
    capture.setSending({ ...OPEN, cameraOff: true });
    await run(2_000);
    expect([sent.at(-1), machine.open]).toEqual(["microphone", ["microphone"]]);
    capture.setSending(OPEN);
    await run(100);
    capture.setSending({ ...OPEN, cameraOff: true });
    await run(2_000);
    expect(machine.open).toEqual(["microphone"]);
    capture.setSending(OPEN);
    await run(2_000);
    expect([sent.at(-1), machine.open]).toEqual(["microphone+camera", ["microphone", "camera"]]);
  });

  it("is silence from every microphone that it has, and sound again", async () => {
    const { capture, machine, plug, unplug } = room(microphone, camera);
    const sounds = (): boolean[] => machine.tracks.filter((each) => each.kind === "audio" && each.readyState === "live").map((each) => each.enabled);
    capture.setSending({ ...OPEN, muted: true });
    capture.start();
    await run(10);
    expect(sounds()).toEqual([false]);
    unplug(microphone);
    plug(microphone);
    await run(10);
    expect(sounds()).toEqual([false]);
    capture.setSending(OPEN);
    expect(sounds()).toEqual([true]);
  });

  it("is forgotten with the lesson, and opens nothing at its end", async () => {
    const { capture, machine, sent } = room(microphone, camera);
    capture.start();
    await run(10);
    capture.setSending({ muted: true, cameraOff: true });
    capture.stop();
    await run(2_000);
    expect([machine.open, machine.asked]).toEqual([[], ["audio+video"]]);
    capture.start();
    await run(10);
    expect(sent.at(-1)).toBe("microphone+camera");
  });

  it("is all a room without a microphone has to send", async () => {
    const { capture, sent } = room(camera);
    capture.start();
    await run(10);
    capture.setSending({ ...OPEN, cameraOff: true });
    await run(10);
    expect(sent).toEqual(["camera", "none"]);
  });
});
