// The days before today whose lessons' connections are still kept.

import { get } from "../../api/http";
import type { Lesson } from "../../api/types";

export const KEPT_DAYS = 14;
const MOST_A_DAY = 100;
const DAY_MS = 86_400_000;
const ZONE_MS = 7 * 3_600_000; // UTC+7, the whole country

export interface Day {
  fromMs: number;
  toMs: number;
}

export interface PastDay extends Day {
  lessons: Lesson[];
  /** How many the day had, where that is more than are read. */
  more: number | null;
}

/** When today began. */
function today(nowMs: number): number {
  return Math.floor((nowMs + ZONE_MS) / DAY_MS) * DAY_MS - ZONE_MS;
}

/** Of the lessons that are over, those of today: one over midnight belongs to the day on which it began. */
export function ofToday(done: readonly Lesson[], nowMs: number): Lesson[] {
  return done.filter(({ start }) => Date.parse(start) >= today(nowMs));
}

/** Yesterday first; of the last one only what is still kept. */
export function daysBefore(nowMs: number): Day[] {
  const todayMs = today(nowMs);
  return Array.from({ length: KEPT_DAYS }, (_, before) => {
    const fromMs = todayMs - (before + 1) * DAY_MS;
    return { fromMs: Math.max(fromMs, nowMs - KEPT_DAYS * DAY_MS), toMs: fromMs + DAY_MS };
  });
}

/** The lessons held that day that may be looked at, by their start: the first of a department's thousands. */
export async function readDay(day: Day): Promise<PastDay> {
  const [from, to] = [day.fromMs, day.toMs].map((at) => new Date(at).toISOString());
  const path = `/lessons?from=${from}&to=${to}&limit=${MOST_A_DAY}`;
  const { lessons, next, total } = await get<{ lessons: Lesson[]; next: string | null; total: number }>(path);
  return { ...day, lessons: heldIn(lessons, day), more: next === null ? null : total };
}

/** A lesson over midnight belongs to the day on which it began. */
export function heldIn(lessons: readonly Lesson[], day: Day): Lesson[] {
  return lessons
    .filter(({ start }) => Date.parse(start) >= day.fromMs && Date.parse(start) < day.toMs)
    .filter((lesson) => lesson.state === "ended" && lesson.can.diagnose)
    .sort((a, b) => Date.parse(a.start) - Date.parse(b.start) || (a.id < b.id ? -1 : 1));
}
