// Rules of the teacher's floor controls.

import { LONGEST_FLOOR_S, REMIND_PAUSE_S } from "../../api/contract";
import type { Floor, Lesson, Site } from "../../api/types";

export const LONGER_S = 60;

/** Seconds that the room still has the floor. */
export function leftS(floor: Floor, now: number): number {
  return Math.max(0, Math.ceil((Date.parse(floor.until) - now) / 1000));
}

export function countdown(seconds: number): string {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** Seconds from now on that give the room one minute more. */
export function longerS(floor: Floor, now: number): number {
  return Math.min(leftS(floor, now) + LONGER_S, LONGEST_FLOOR_S);
}

export const taking = (lesson: Lesson): Site[] => lesson.sites.filter((site) => site.invitation === "accepted");

/** Those that take part, or may yet. */
export const mayCome = (lesson: Lesson): Site[] =>
  lesson.sites.filter((site) => site.invitation === "accepted" || site.invitation === "pending");

/** The host's first room needs no floor: it is heard always. */
const isHost = (lesson: Lesson, site: Site): boolean => taking(lesson)[0]?.room.id === site.room.id;

/** By the page of its own people: any room but the one from which the lesson is held. */
export function mayLeave(lesson: Lesson, site: Site): boolean {
  return site.own && site.invitation === "accepted" && (!isHost(lesson, site) || site.school.id !== lesson.host.id);
}

export const mayResume = ({ can }: Lesson, now: number): boolean => can.resume !== null && now < Date.parse(can.resume);

export const mayRemind = (site: Site, now: number): boolean =>
  site.reminded_at === null || now - Date.parse(site.reminded_at) >= REMIND_PAUSE_S * 1000;

/** Whether the person's rooms were asked for and none of them is in: what there is to see is not for them yet. */
export const isOutside = (lesson: Lesson): boolean =>
  lesson.sites.some((site) => site.own) && !lesson.can.end && lesson.sites.every((site) => !site.own || site.invitation !== "accepted");

export function mayHaveFloor(lesson: Lesson, site: Site): boolean {
  return lesson.can.end && site.invitation === "accepted" && !isHost(lesson, site);
}

/** Whether the mode keeps this room from being heard. */
export function silenced(lesson: Lesson, site: Site): boolean {
  return lesson.mode !== "discussion" && !isHost(lesson, site) && lesson.floor?.room !== site.room.id;
}
