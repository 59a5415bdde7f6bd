// Rules of the teacher's floor controls.

import type { Floor, Lesson, Site } from "../../api/types";

export const LONGER_S = 60;
const LONGEST_S = 30 * 60;

/** Seconds that the room still has the floor. */
export function leftS(floor: Floor, now: number): number {
  return Math.max(0, Math.ceil((Date.parse(floor.until) - now) / 1000));
}

export function countdown(seconds: number): string {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** Seconds from now on that give the room one minute more. */
export function longerS(floor: Floor, now: number): number {
  return Math.min(leftS(floor, now) + LONGER_S, LONGEST_S);
}

export const taking = (lesson: Lesson): Site[] => lesson.sites.filter((site) => site.invitation === "accepted");

/** The host's first room needs no floor: it is heard always. */
const isHost = (lesson: Lesson, site: Site): boolean => taking(lesson)[0]?.room.id === site.room.id;

export function mayHaveFloor(lesson: Lesson, site: Site): boolean {
  return lesson.can.end && site.invitation === "accepted" && !isHost(lesson, site);
}

/** Whether the mode keeps this room from being heard. */
export function silenced(lesson: Lesson, site: Site): boolean {
  return lesson.mode !== "discussion" && !isHost(lesson, site) && lesson.floor?.room !== site.room.id;
}
