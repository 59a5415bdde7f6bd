// Which picture is shown for which room. Pure.

import type { CallRoom, Slots } from "../api/types";

export interface Tile {
  room: CallRoom;
  track: MediaStreamTrack | null;
}

/** One tile per other room, in the order of the lesson, so that nobody changes places when a picture comes or goes. */
export function tilesOf(rooms: readonly CallRoom[], slots: Slots, tracks: ReadonlyMap<string, MediaStreamTrack>): Tile[] {
  const pictures = [...tracks].filter(([, track]) => track.kind === "video");
  return rooms.map((room) => {
    const found = pictures.find(([mid]) => slots[mid] === room.id);
    if (found !== undefined) return { room, track: found[1] };
    // With one other room there is no doubt whose the picture is, and no need to wait to be told.
    const [only] = pictures;
    const told = only !== undefined && only[0] in slots && slots[only[0]] !== null;
    return { room, track: rooms.length === 1 && only !== undefined && !told ? only[1] : null };
  });
}
