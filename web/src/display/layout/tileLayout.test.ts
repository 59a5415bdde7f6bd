import { describe, expect, it } from "vitest";
import { layOutTiles, type Rect, type Size } from "./tileLayout";

const SIZES: Record<string, Size> = {
  wall: { width: 1900, height: 950 },
  panel: { width: 1260, height: 670 },
  phone: { width: 370, height: 700 },
};
const GAP = 12;

const inside = (each: Rect, area: Size): boolean =>
  each.x >= -0.5 && each.y >= -0.5 && each.x + each.width <= area.width + 0.5 && each.y + each.height <= area.height + 0.5;
const apart = (a: Rect, b: Rect): boolean =>
  a.x + a.width <= b.x + 0.5 || b.x + b.width <= a.x + 0.5 || a.y + a.height <= b.y + 0.5 || b.y + b.height <= a.y + 0.5;

describe.each(Object.entries(SIZES))("on a %s", (_, area) => {
  it.each([2, 3, 4, 5, 7, 9])("stage and %i tiles in all lie inside and apart, our own picture too", (count) => {
    const { tiles, selfView } = layOutTiles(area, count, true, GAP);
    const all = [...tiles, selfView];
    expect(tiles).toHaveLength(count);
    for (const each of all) expect(inside(each, area), JSON.stringify(each)).toBe(true);
    all.forEach((one, index) => all.slice(index + 1).forEach((two) => expect(apart(one, two)).toBe(true)));
  });

  it.each([2, 3, 4])("%i equal tiles without a stage", (count) => {
    const { tiles } = layOutTiles(area, count, false, GAP);
    expect(new Set(tiles.map((each) => Math.round(each.height))).size).toBe(1);
    for (const each of tiles) expect(inside(each, area)).toBe(true);
  });

  it("one other room has all the width", () => {
    expect(layOutTiles(area, 1, false, GAP).tiles.map((each) => [each.x, each.width])).toEqual([[0, area.width]]);
  });
});

it.each([
  [2, 0.7, 0.25],
  [4, 0.7, 0.2],
  [9, 0.6, 0.18],
])("on a wall with %i pictures the stage has %d of the width and thumbnails %d of the height", (count, stage, small) => {
  const area = { width: 1900, height: 950 };
  const [first, second] = layOutTiles(area, count, true, GAP).tiles;
  expect((first?.width ?? 0) / area.width).toBeGreaterThan(stage);
  expect((second?.height ?? 0) / area.height).toBeGreaterThan(small);
});

it("knows no places on a screen that has no size yet", () => {
  expect(layOutTiles({ width: 0, height: 0 }, 3, true, GAP).tiles).toEqual([]);
});
