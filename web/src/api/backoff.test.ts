import { expect, it } from "vitest";
import { Backoff } from "./backoff";

it("doubles up to its cap, randomly, and starts anew after a reset", () => {
  const longest = new Backoff(100, 1000, () => 1);
  expect([1, 2, 3, 4, 5].map(() => longest.nextMs())).toEqual([100, 200, 400, 800, 1000]);
  longest.reset();
  expect(longest.nextMs()).toBe(100);
  expect(new Backoff(100, 1000, () => 0).nextMs()).toBe(50);
});
