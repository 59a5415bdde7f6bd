// Which picture is shown for which room, and how large it is asked for. Pure.

import type { CallRoom, Flow, Received } from "../../api/types";
import type { Heights } from "../../webrtc/layoutSender";
import type { Caps } from "../call/cpuAdaptation";
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

export interface Tiles {
  tiles: Tile[];
  /** The first tile is the stage. */
  large: boolean;
  /** Rooms that take part but have no place. */
  unseen: CallRoom[];
}

const MOST_PLACEHOLDERS = 3; // with more rooms those that are waited for are named in a list

/** `own`: our room, of which only a screen that another of its machines shares comes to be seen. */
export function tilesOf(
  rooms: readonly CallRoom[],
  own: CallRoom,
  received: Received,
  tracks: ReadonlyMap<string, MediaStreamTrack>,
  mostThumbnails: number,
): Tiles {
  const slots = videoSlots(tracks);
  const filled = slots.flatMap(([mid, track], place): { tile: Tile; place: number }[] => {
    const room = received.slots[mid] === own.id && received.slides.includes(mid) ? own : roomIn(mid, place, rooms, received);
    if (room === undefined) return [];
    const flow = received.flows[mid] ?? "live";
    return [{ place, tile: { key: `slot ${mid}`, mid, room, track, flow, slides: received.slides.includes(mid) } }];
  });
  const onStage = filled[0]?.place === 0;
  const pictures = filled.map((each) => each.tile).slice(0, mostThumbnails + 1);
  const shown = new Set(pictures.map((tile) => tile.room.id));
  const left = rooms.filter((room) => !shown.has(room.id));
  const waiting = rooms.length <= MOST_PLACEHOLDERS ? left.filter((room) => filled.every((each) => each.tile.room !== room)) : [];
  const tiles = [...pictures, ...waiting.map(placeholder)];
  return { tiles, large: onStage && tiles.length > 1, unseen: left.filter((room) => !waiting.includes(room)) };
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
export function heightsOf(
  shown: Tiles,
  places: readonly Rect[],
  tracks: ReadonlyMap<string, MediaStreamTrack>,
  { caps, density, visible }: { caps: Caps; density: number; visible: boolean },
): Heights {
  const heights: Record<string, number> = {};
  const drawn = shown.tiles.flatMap((tile, place) => (tile.mid === null ? [] : [[tile.mid, places[place]?.height ?? 0] as const]));
  const drawnAt = new Map(drawn);
  const lowest = Math.min(...places.map((place) => place.height));
  videoSlots(tracks).forEach(([mid], place) => {
    const most = place === 0 ? caps.stage : caps.thumbnail;
    // An empty slot asks for what it would be shown at: one of height 0 would stay empty.
    const height = drawnAt.get(mid) ?? (Number.isFinite(lowest) ? lowest : 0);
    heights[mid] = visible && place <= caps.thumbnails ? Math.round(Math.min(height * density, most)) : 0;
  });
  return heights;
}
