import { describe, expect, it } from "vitest";
import { largest, niceMaximum, path, runs, spentMs, timeMarks } from "./plot";

describe("plots", () => {
  it.each([
    [0, 1],
    [0.7, 1],
    [1, 1],
    [1.1, 2],
    [23, 50],
    [100, 100],
    [1730, 2000],
  ])("an axis for %d ends with %d", (value, end) => {
    expect(niceMaximum(value)).toBe(end);
  });

  it("draw nothing where nothing is known, and a lone value as a stroke", () => {
    expect(path([0, 10, null, 5, null], 10, 50, 20)).toBe("M5 20L15 0M35 10h1");
    expect(path([null, null], 10, 50, 20)).toBe("");
  });

  it("cut off what is above the axis", () => {
    expect(path([30, 10], 10, 20, 20)).toBe("M5 0L15 0");
  });

  it("find the largest of several lines", () => {
    expect(largest([[1, null], [null, 7]])).toBe(7);
    expect(largest([[null]])).toBe(0);
  });

  it("have marks at whole minutes that leave room for their texts", () => {
    const start = Date.parse("2026-11-22T01:00:20Z");
    expect(timeMarks(start, 10 * 60_000, 500).map((at) => new Date(at).toISOString().slice(11, 16))).toEqual([
      "01:02",
      "01:04",
      "01:06",
      "01:08",
      "01:10",
    ]);
    expect(timeMarks(start, 7_200_000, 300).length).toBeLessThanOrEqual(4);
  });

  it("tell a lesson in runs of the same word", () => {
    expect(runs(["good", "good", null, "weak"])).toEqual([
      { word: "good", from: 0, to: 2 },
      { word: null, from: 2, to: 3 },
      { word: "weak", from: 3, to: 4 },
    ]);
    expect(runs([])).toEqual([]);
  });

  it("add up how long a word was said", () => {
    const history = { interval_s: 4, word: ["good", "weak", "weak", null] } as never;
    expect([spentMs(history, "weak"), spentMs(history, "lost")]).toEqual([8000, 0]);
  });
});
