// Which picture is shown for which room, and how large it is asked for. Pure.

import type { CallRoom, Flow, Received } from "../../api/types";
import type { Heights } from "../../webrtc/layoutSender";
import type { ReceiveLimits } from "../call/cpuAdaptation";
import type { Rect } from "./tileLayout";

/** A place on the screen: a receive slot that carries a room, or a room that is waited for. */
export interface Tile {
  /** Constant per slot: its video element stays the same whoever comes to be seen in it. */
  key: string;
  mid: string | null;
  room: CallRoom;
  track: MediaStreamTrack | null;
  flow: Flow;
  slides: boolean;
}

export interface TileSet {
  tiles: Tile[];
  /** The first tile is the stage. */
  hasStage: boolean;
  /** Rooms that take part but have no place. */
  withoutTile: CallRoom[];
}

const MAX_PLACEHOLDERS = 3; // with more rooms those that are waited for are named in a list

/** `ownRoom`: our room, of which only a screen that another of its machines shares comes to be seen. */
export function tilesOf(
  rooms: readonly CallRoom[],
  ownRoom: CallRoom,
  received: Received,
  tracks: ReadonlyMap<string, MediaStreamTrack>,
  maxThumbnails: number,
): TileSet {
  const slots = videoSlots(tracks);
  const withTile = slots.flatMap(([mid, track], place): { tile: Tile; place: number }[] => {
    const room = received.slots[mid] === ownRoom.id && received.slides.includes(mid) ? ownRoom : roomIn(mid, place, rooms, received);
    if (room === undefined) return [];
    const flow = received.flows[mid] ?? "live";
    return [{ place, tile: { key: `slot ${mid}`, mid, room, track, flow, slides: received.slides.includes(mid) } }];
  });
  const stageFilled = withTile[0]?.place === 0;
  const pictures = withTile.map((each) => each.tile).slice(0, maxThumbnails + 1);
  const tiled = new Set(pictures.map((tile) => tile.room.id));
  const left = rooms.filter((room) => !tiled.has(room.id));
  const waiting = rooms.length <= MAX_PLACEHOLDERS ? left.filter((room) => withTile.every((each) => each.tile.room !== room)) : [];
  const tiles = [...pictures, ...waiting.map(placeholder)];
  return { tiles, hasStage: stageFilled && tiles.length > 1, withoutTile: left.filter((room) => !waiting.includes(room)) };
}

function roomIn(mid: string, place: number, rooms: readonly CallRoom[], received: Received): CallRoom | undefined {
  const id = received.slots[mid] ?? null;
  if (id !== null) return rooms.find((room) => room.id === id);
  // With one other room there is no doubt whose the picture is, and no need to wait to be told.
  return place === 0 && rooms.length === 1 ? rooms[0] : undefined;
}

const placeholder = (room: CallRoom): Tile => ({
  key: `room ${room.id}`,
  mid: null,
  room,
  track: null,
  flow: "none",
  slides: false,
});

const videoSlots = (tracks: ReadonlyMap<string, MediaStreamTrack>): [string, MediaStreamTrack][] =>
  [...tracks].filter(([, track]) => track.kind === "video");

/** What is asked for each video slot, in device pixels by mid. */
export function requestedHeights(
  tileSet: TileSet,
  rects: readonly Rect[],
  tracks: ReadonlyMap<string, MediaStreamTrack>,
  { limits, density, visible }: { limits: ReceiveLimits; density: number; visible: boolean },
): Heights {
  const heights: Record<string, number> = {};
  const drawn = tileSet.tiles.flatMap((tile, place) => (tile.mid === null ? [] : [[tile.mid, rects[place]?.height ?? 0] as const]));
  const drawnAt = new Map(drawn);
  const lowest = Math.min(...rects.map((place) => place.height));
  videoSlots(tracks).forEach(([mid], place) => {
    const most = place === 0 ? limits.stage : limits.thumbnail;
    // An empty slot asks for what it would be shown at: one of height 0 would stay empty.
    const height = drawnAt.get(mid) ?? (Number.isFinite(lowest) ? lowest : 0);
    heights[mid] = visible && place <= limits.thumbnails ? Math.round(Math.min(height * density, most)) : 0;
  });
  return heights;
}
