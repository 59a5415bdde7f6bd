import { expect, it } from "vitest";
import { StallDetector } from "./stallDetector";

/** The seconds at which these frame counts, sampled once a second, are a stall. */
function renewals(frames: (second: number) => number, seconds: number, expected = true): number[] {
  const stall = new StallDetector();
  return Array.from({ length: seconds }, (_, second) => second).filter((second) =>
    stall.update(second * 1000, frames(second), expected),
  );
}

it("lets a moving picture alone, and one that nobody sends", () => {
  expect(renewals((second) => second * 15, 30)).toEqual([]);
  expect(renewals(() => 0, 30, false)).toEqual([]);
});

it("renews after 3 s without a frame, then ever less often", () => {
  expect(renewals(() => 7, 60)).toEqual([3, 10, 23, 48]);
});
