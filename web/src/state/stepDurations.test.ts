import { expect, it } from "vitest";
import type { Lesson, Step } from "../api/types";
import { StepDurations } from "./stepDurations";

function step(state: Step["state"], since: string): Step {
  return {
    id: "s1",
    device: { id: "d1", name: "", type: "projector" },
    property: "power",
    value: "on",
    importance: "essential",
    state,
    code: "",
    since,
    deadline_s: 90,
    reported: null,
    unit: "",
    command: null,
    lost: false,
    because: null,
  };
}

const lesson = (of: Step): Lesson => ({ sites: [{ devices: { state: "preparing", steps: [of] } }] }) as unknown as Lesson;

it("learns how long a device took, and still knows it after a reload", () => {
  const kept = new Map<string, string>();
  const storage = { getItem: (key: string) => kept.get(key) ?? null, setItem: (key: string, value: string) => void kept.set(key, value) };
  const running = step("running", "2026-11-22T01:00:00Z");
  const durations = new StepDurations(storage);
  expect(durations.usualS(running)).toBeNull();
  durations.learn(lesson(running), lesson(step("confirmed", "2026-11-22T01:00:21Z")));
  expect(durations.usualS(running)).toBe(21);
  expect(new StepDurations(storage).usualS(running)).toBe(21);
});

it("learns nothing from failures, from steps it did not see running, or from broken storage", () => {
  const durations = new StepDurations({ getItem: () => "{not json", setItem: () => undefined });
  durations.learn(lesson(step("running", "2026-11-22T01:00:00Z")), lesson(step("timed_out", "2026-11-22T01:01:30Z")));
  durations.learn(undefined, lesson(step("confirmed", "2026-11-22T01:00:21Z")));
  expect(durations.usualS(step("running", ""))).toBeNull();
});
