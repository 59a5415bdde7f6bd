// Which tile shows which room, and how large a picture each slot requests. Pure.

import type { CallRoom, Flow, Received } from "../../api/types";
import type { Heights } from "../../webrtc/layoutSender";
import type { ReceiveLimits } from "../call/cpuAdaptation";
import type { Rect } from "./tileLayout";

/** A tile shows the room that a receive slot carries, or stands for a room that is awaited. */
export interface Tile {
  /** Constant for a slot, so that its video element stays when the slot's room changes. */
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
  /** Rooms of the lesson without a tile. */
  withoutTile: CallRoom[];
}

const MAX_PLACEHOLDERS = 3; // with more rooms in the lesson, a list names the awaited ones

/** `ownRoom`: gets a tile only for a screen that another of its machines shares. */
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
  // With one other room, the stage can only be that room's: there is no need to wait for the server.
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

/** The height that each video slot requests, in device pixels by mid; 0: nothing. */
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
    // An empty slot requests the height that its tile would have: the bridge leaves a slot of height 0 empty.
    const height = drawnAt.get(mid) ?? (Number.isFinite(lowest) ? lowest : 0);
    heights[mid] = visible && place <= limits.thumbnails ? Math.round(Math.min(height * density, most)) : 0;
  });
  return heights;
}
