// Who has the floor, for how long, and who is kept from being heard.

import { LONGEST_FLOOR_S } from "../../api/contract";
import type { Floor, Lesson, Site } from "../../api/types";
import { isHostRoom } from "./lessonRules";

const EXTENSION_S = 60;

/** Seconds that the room still has the floor. */
export function secondsLeft(floor: Floor, now: number): number {
  return Math.max(0, Math.ceil((Date.parse(floor.until) - now) / 1000));
}

export function countdown(seconds: number): string {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** Seconds from now on that give the room one minute more. */
export function extendedS(floor: Floor, now: number): number {
  return Math.min(secondsLeft(floor, now) + EXTENSION_S, LONGEST_FLOOR_S);
}

/** The host's first room needs no floor: it is always heard. */
export function mayHaveFloor(lesson: Lesson, site: Site): boolean {
  return lesson.can.end && site.invitation === "accepted" && !isHostRoom(lesson, site);
}

/** Whether the mode keeps this room from being heard. */
export function isSilenced(lesson: Lesson, site: Site): boolean {
  return lesson.mode !== "discussion" && !isHostRoom(lesson, site) && lesson.floor?.room !== site.room.id;
}
