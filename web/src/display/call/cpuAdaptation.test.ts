import { describe, expect, it } from "vitest";
import { adaptTo, type CpuAdaptation, type DecodeLoad, isReduced, LADDER, limitsOf, startAdaptation } from "./cpuAdaptation";

const CALM: DecodeLoad = { busy: 0.05, dropped: 0 };
const OVERUSE: DecodeLoad = { busy: 0.8, dropped: 0 };
const DROPPING: DecodeLoad = { busy: 0.1, dropped: 0.4 };
const BETWEEN: DecodeLoad = { busy: 0.3, dropped: 0.05 };

/** The step after each load has lasted its seconds, in turn. */
function steps(start: CpuAdaptation, ...parts: [DecodeLoad, number][]): number[] {
  let [adaptation, nowMs] = [start, 0];
  return parts.map(([load, seconds]) => {
    for (let second = 0; second < seconds; second += 1) adaptation = adaptTo(adaptation, load, (nowMs += 1_000));
    return adaptation.step;
  });
}

it.each([
  [1, 1],
  [2, 1],
  [4, 0],
])("on %i cores begins with step %i", (cores, step) => {
  expect(startAdaptation(cores).step).toBe(step);
});

it("asks for ever less", () => {
  const sizes = LADDER.map((limits) => [limits.stage, limits.thumbnail, limits.thumbnails]);
  expect([...sizes].sort((a, b) => (b[0] ?? 0) - (a[0] ?? 0) || (b[2] ?? 0) - (a[2] ?? 0))).toEqual(sizes);
});

describe.each([
  ["one that is busy", OVERUSE],
  ["one that drops frames", DROPPING],
])("%s", (_, load) => {
  it("asks for less after 4 s, and for the least in the end", () => {
    expect(steps(startAdaptation(4), [load, 4], [load, 1], [load, 100])).toEqual([0, 1, LADDER.length - 1]);
  });

  it("is let off a bad moment", () => {
    expect(steps(startAdaptation(4), [load, 3], [CALM, 1], [load, 3])).toEqual([0, 0, 0]);
  });
});

it("stays where it is between calm and busy", () => {
  expect(steps({ ...startAdaptation(4), step: 2 }, [BETWEEN, 600])).toEqual([2]);
});

it("asks for more after half a minute of calm, and waits longer each time that was too much", () => {
  const found = steps({ ...startAdaptation(4), step: 2 }, [CALM, 31], [OVERUSE, 5], [CALM, 59], [CALM, 2], [OVERUSE, 5], [CALM, 119], [CALM, 2]);
  expect(found).toEqual([1, 2, 2, 1, 2, 2, 1]);
});

it("calls itself slow below what two cores begin with", () => {
  expect([0, 1, 2].map((step) => isReduced({ ...startAdaptation(4), step }))).toEqual([false, false, true]);
  expect(limitsOf({ ...startAdaptation(4), step: 2 })).toEqual({ stage: 360, thumbnail: 180, thumbnails: 4 });
});
