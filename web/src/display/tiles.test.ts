import { expect, it } from "vitest";
import type { CallRoom } from "../api/types";
import { tilesOf } from "./tiles";

const room = (id: string): CallRoom => ({ id, name: id, school: id, province: "" });
const track = (kind: "video" | "audio", id: string): MediaStreamTrack => ({ kind, id }) as MediaStreamTrack;
const one = track("video", "one");
const two = track("video", "two");
const shown = (tiles: ReturnType<typeof tilesOf>): (string | null)[] => tiles.map((tile) => tile.track?.id ?? null);

it("keeps rooms in the lesson's order, whichever slot they are in", () => {
  const tracks = new Map([["0", one], ["1", two], ["2", track("audio", "voice")]]);
  expect(shown(tilesOf([room("a"), room("b")], { "0": "b", "1": "a", "2": "a" }, tracks))).toEqual(["two", "one"]);
});

it("never guesses among several rooms", () => {
  expect(shown(tilesOf([room("a"), room("b")], {}, new Map([["0", one], ["1", two]])))).toEqual([null, null]);
});

it("needs no telling with one other room, but believes what it is told", () => {
  const tracks = new Map([["0", one]]);
  expect(shown(tilesOf([room("a")], {}, tracks))).toEqual(["one"]);
  expect(shown(tilesOf([room("a")], { "0": "a" }, tracks))).toEqual(["one"]);
  expect(shown(tilesOf([room("a")], { "0": "gone" }, tracks))).toEqual([null]);
});
