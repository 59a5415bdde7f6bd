import { expect, it } from "vitest";
import { withActiveLayers } from "./simulcast";

const on = (...active: boolean[]) => ["q", "h", "f"].slice(0, active.length).map((rid, place) => ({ rid, active: active[place] ?? true }));

it.each([
  ["everything wanted", on(true, true, true), { q: true, h: true, f: true }, null],
  ["nothing known", on(true, true, true), {}, null],
  ["the full one not wanted", on(true, true, true), { f: false }, on(true, true, false)],
  ["wanted again", on(true, true, false), { f: true }, on(true, true, true)],
  ["nobody looks: the lowest goes on", on(true, true, true), { q: false, h: false, f: false }, on(true, false, false)],
  ["one layer only", [{ active: true }], { q: false }, null],
])("%s", (_, encodings, wanted, expected) => {
  expect(withActiveLayers(encodings, wanted)).toEqual(expected);
});
