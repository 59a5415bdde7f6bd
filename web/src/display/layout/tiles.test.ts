import { describe, expect, it } from "vitest";
import type { CallRoom, Received } from "../../api/types";
import type { Rect } from "./tileLayout";
import { requestedHeights, type TileSet, tilesOf } from "./tiles";

const room = (id: string): CallRoom => ({ id, name: id, school: id, province: "", here: true, muted: false, camera_off: false });
const OWN = room("own");
const rooms = (ids: string): CallRoom[] => [...ids].map(room);
const track = (kind: "video" | "audio", id: string): MediaStreamTrack => ({ kind, id }) as MediaStreamTrack;
const received = (slots: Received["slots"], change: Partial<Received> = {}): Received => ({ slots, flows: {}, slides: [], ...change });

/** `count` video slots with mids from 0, and an audio slot. */
const tracks = (video: number): Map<string, MediaStreamTrack> =>
  new Map([...Array.from({ length: video }, (_, mid) => [String(mid), track("video", `picture ${mid}`)] as const), ["a", track("audio", "voice")]]);

const gist = ({ tiles, hasStage, withoutTile }: TileSet): string =>
  [tiles.map((tile) => (tile.mid === null ? `(${tile.room.id})` : `${tile.mid}:${tile.room.id}`)).join(" "), hasStage ? "large" : "equal", withoutTile.map((each) => each.id).join("")].join(" | ");

describe.each([
  ["one other room, nothing told yet", "b", 1, {}, "0:b | equal | "],
  ["one other room that is not there", "b", 1, { "0": null }, "0:b | equal | "],
  ["a room that is not in the lesson any more", "b", 1, { "0": "gone" }, "(b) | equal | "],
  ["two rooms, nothing told yet: no guess", "bc", 2, {}, "(b) (c) | equal | "],
  ["the first has come", "bc", 2, { "0": "c", "1": null }, "0:c (b) | large | "],
  ["both", "bc", 2, { "0": "c", "1": "b" }, "0:c 1:b | large | "],
  ["nobody on the stage", "bcd", 3, { "0": null, "1": "b", "2": "d" }, "1:b 2:d (c) | equal | "],
  ["more rooms than slots", "bcdefg", 3, { "0": "g", "1": "b", "2": "c" }, "0:g 1:b 2:c | large | def"],
  ["a shared screen and the room that shares it", "bc", 3, { "0": "b", "1": "b", "2": "c" }, "0:b 1:b 2:c | large | "],
])("%s", (_, ids, video, slots, expected) => {
  it("is shown", () => {
    expect(gist(tilesOf(rooms(ids), OWN, received(slots), tracks(video), 8))).toBe(expected);
  });
});

it("names the rooms that a slow machine leaves out", () => {
  const slots = { "0": "b", "1": "c", "2": "d", "3": "e" };
  expect(gist(tilesOf(rooms("bcde"), OWN, received(slots), tracks(4), 1))).toBe("0:b 1:c | large | de");
  expect(gist(tilesOf(rooms("bc"), OWN, received(slots), tracks(2), 0))).toBe("0:b | equal | c");
});

it("keeps a slot's key when its room changes, and has the slot's flow", () => {
  const before = tilesOf(rooms("bc"), OWN, received({ "0": "b", "1": "c" }), tracks(2), 8).tiles;
  const after = tilesOf(rooms("bc"), OWN, received({ "0": "c", "1": "b" }, { flows: { "0": "still" }, slides: ["1"] }), tracks(2), 8).tiles;
  expect(after.map((tile) => tile.key)).toEqual(before.map((tile) => tile.key));
  expect(after.map(({ flow, slides }) => [flow, slides])).toEqual([["still", false], ["live", true]]);
});

it("shows of our own room a shared screen and nothing else", () => {
  const ownRoom = (slides: string[]): string => gist(tilesOf(rooms("bc"), OWN, received({ "0": OWN.id, "1": "b" }, { slides }), tracks(2), 8));
  expect(ownRoom(["0"])).toBe("0:own 1:b (c) | large | ");
  expect(ownRoom([])).toBe("1:b (c) | equal | ");
});

describe("sizes", () => {
  const all = { stage: Infinity, thumbnail: Infinity, thumbnails: 8 };
  const place = (height: number): Rect => ({ x: 0, y: 0, width: 0, height });
  const shown2 = tilesOf(rooms("bcd"), OWN, received({ "0": "b", "1": "c" }), tracks(3), 8);
  const places = [place(700), place(190.2), place(190.2)];

  it.each([
    ["are device pixels", { limits: all, density: 1.5, visible: true }, { "0": 1050, "1": 285, "2": 285 }],
    ["are 0 on a hidden page", { limits: all, density: 1, visible: false }, { "0": 0, "1": 0, "2": 0 }],
    ["have a slow machine's limits", { limits: { stage: 360, thumbnail: 180, thumbnails: 1 }, density: 1, visible: true }, { "0": 360, "1": 180, "2": 0 }],
  ])("%s", (_, how, expected) => {
    expect(requestedHeights(shown2, places, tracks(3), how)).toEqual(expected);
  });
});
