// Which sites of a lesson count, and what the person at this page may do for theirs.

import { REMIND_PAUSE_S } from "../../api/contract";
import type { Lesson, Site } from "../../api/types";

/** The sites that take part, or may yet. */
export const expectedSites = (lesson: Lesson): Site[] =>
  lesson.sites.filter((site) => site.invitation === "accepted" || site.invitation === "pending");

/** Whether the lesson is held from this room: the first one that takes part. */
export const isHostRoom = (lesson: Lesson, site: Site): boolean =>
  lesson.sites.find((each) => each.invitation === "accepted")?.room.id === site.room.id;

/** Any room of the person's own school may leave, but not the one from which its school holds the lesson. */
export function mayLeave(lesson: Lesson, site: Site): boolean {
  return site.own && site.invitation === "accepted" && (!isHostRoom(lesson, site) || site.school.id !== lesson.host.id);
}

export const mayResume = ({ can }: Lesson, now: number): boolean => can.resume !== null && now < Date.parse(can.resume);

export const mayRemind = (site: Site, now: number): boolean =>
  site.reminded_at === null || now - Date.parse(site.reminded_at) >= REMIND_PAUSE_S * 1000;

/** Whether none of the person's invited rooms takes part yet: such a person sees no pictures. */
export const isOutside = (lesson: Lesson): boolean =>
  lesson.sites.some((site) => site.own) && !lesson.can.end && lesson.sites.every((site) => !site.own || site.invitation !== "accepted");
