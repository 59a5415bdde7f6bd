import { describe, expect, it } from "vitest";
import { afterLoad, capsOf, type Effort, isSlow, type Load, startEffort, STEPS } from "./cpuAdaptation";

const CALM: Load = { busy: 0.05, dropped: 0 };
const BUSY: Load = { busy: 0.8, dropped: 0 };
const DROPPING: Load = { busy: 0.1, dropped: 0.4 };
const BETWEEN: Load = { busy: 0.3, dropped: 0.05 };

/** The step at the end of so many seconds of each load, in turn. */
function steps(start: Effort, ...parts: [Load, number][]): number[] {
  let [effort, nowMs] = [start, 0];
  return parts.map(([load, seconds]) => {
    for (let second = 0; second < seconds; second += 1) effort = afterLoad(effort, load, (nowMs += 1_000));
    return effort.step;
  });
}

it.each([
  [1, 1],
  [2, 1],
  [4, 0],
])("on %i cores begins with step %i", (cores, step) => {
  expect(startEffort(cores).step).toBe(step);
});

it("asks for ever less", () => {
  const sizes = STEPS.map((caps) => [caps.stage, caps.thumbnail, caps.thumbnails]);
  expect([...sizes].sort((a, b) => (b[0] ?? 0) - (a[0] ?? 0) || (b[2] ?? 0) - (a[2] ?? 0))).toEqual(sizes);
});

describe.each([
  ["one that is busy", BUSY],
  ["one that drops frames", DROPPING],
])("%s", (_, load) => {
  it("asks for less after 4 s, and for the least in the end", () => {
    expect(steps(startEffort(4), [load, 4], [load, 1], [load, 100])).toEqual([0, 1, STEPS.length - 1]);
  });

  it("is let off a bad moment", () => {
    expect(steps(startEffort(4), [load, 3], [CALM, 1], [load, 3])).toEqual([0, 0, 0]);
  });
});

it("stays where it is between calm and busy", () => {
  expect(steps({ ...startEffort(4), step: 2 }, [BETWEEN, 600])).toEqual([2]);
});

it("asks for more after half a minute of calm, and waits longer each time that was too much", () => {
  const found = steps({ ...startEffort(4), step: 2 }, [CALM, 31], [BUSY, 5], [CALM, 59], [CALM, 2], [BUSY, 5], [CALM, 119], [CALM, 2]);
  expect(found).toEqual([1, 2, 2, 1, 2, 2, 1]);
});

it("calls itself slow below what two cores begin with", () => {
  expect([0, 1, 2].map((step) => isSlow({ ...startEffort(4), step }))).toEqual([false, false, true]);
  expect(capsOf({ ...startEffort(4), step: 2 })).toEqual({ stage: 360, thumbnail: 180, thumbnails: 4 });
});
