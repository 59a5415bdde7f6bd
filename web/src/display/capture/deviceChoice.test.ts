import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type DeviceChoice, deviceIdOf, NO_CHOICE, storeChoice, storedChoice } from "./deviceChoice";

const DEVICES = [
  { kind: "audioinput", deviceId: "m1", label: "Jabra" },
  { kind: "videoinput", deviceId: "c1", label: "Logitech" },
  { kind: "videoinput", deviceId: "c2", label: "AVer" },
  { kind: "videoinput", deviceId: "c3", label: "" },
];

it.each([
  ["nothing was chosen", null, null],
  ["the id is still good", { id: "c2", label: "AVer" }, "c2"],
  ["the id is another one by now", { id: "old", label: "AVer" }, "c2"],
  ["the id counts more than the name", { id: "c1", label: "AVer" }, "c1"],
  ["it is not plugged in", { id: "gone", label: "Sony" }, null],
  ["its name was never known", { id: "gone", label: "" }, null],
  ["another kind has that name", { id: "gone", label: "Jabra" }, null],
])("%s", (_, chosen, expected) => {
  expect(deviceIdOf(chosen, DEVICES, "videoinput")).toBe(expected);
});

describe("remembering", () => {
  const stored = new Map<string, string>();
  beforeEach(() => vi.stubGlobal("localStorage", { getItem: (key: string) => stored.get(key) ?? null, setItem: (key: string, value: string) => stored.set(key, value) }));
  afterEach(() => {
    stored.clear();
    vi.unstubAllGlobals();
  });

  it("gives back what was stored", () => {
    const choice: DeviceChoice = { camera: { id: "c2", label: "AVer" }, second: { id: "c1", label: "Logitech" }, microphone: null, speaker: { id: "s", label: "TV" }, processed: true };
    storeChoice(choice);
    expect(storedChoice()).toEqual(choice);
  });

  it.each([
    ["nothing", undefined, NO_CHOICE],
    ["nonsense", "{", NO_CHOICE],
    ["other things", '{"camera":7,"microphone":{"id":1},"processed":"yes"}', NO_CHOICE],
    ["an id alone, of an earlier page", '{"camera":"c1","microphone":null}', { ...NO_CHOICE, camera: { id: "c1", label: "" } }],
  ])("takes %s", (_, text, expected) => {
    if (text !== undefined) stored.set("nhipcau.capture", text);
    expect(storedChoice()).toEqual(expected);
  });
});
