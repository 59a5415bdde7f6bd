// The days before today whose connection figures are still kept.

import { get } from "../../api/http";
import type { Lesson } from "../../api/types";
import { startOfDay } from "../../state/zone";

export const KEPT_DAYS = 14;
const MOST_A_DAY = 100;
const DAY_MS = 86_400_000;

export interface Day {
  fromMs: number;
  toMs: number;
}

export interface PastDay extends Day {
  lessons: Lesson[];
  /** How many the day had, where that is more than are read. */
  more: number | null;
}

/** Today's lessons of those that are over. A lesson over midnight belongs to the day of its start. */
export function todaysLessons(done: readonly Lesson[], nowMs: number, zone: string): Lesson[] {
  return done.filter(({ start }) => Date.parse(start) >= startOfDay(nowMs, zone));
}

/** Yesterday first; the last day has only the part that is still kept. */
export function daysBefore(nowMs: number, zone: string): Day[] {
  const todayMs = startOfDay(nowMs, zone);
  return Array.from({ length: KEPT_DAYS }, (_, before) => {
    const fromMs = todayMs - (before + 1) * DAY_MS;
    return { fromMs: Math.max(fromMs, nowMs - KEPT_DAYS * DAY_MS), toMs: fromMs + DAY_MS };
  });
}

/** The first of that day's ended lessons whose connections this person may see, by their start. A department has thousands. */
export async function loadDay(day: Day): Promise<PastDay> {
  const [from, to] = [day.fromMs, day.toMs].map((at) => new Date(at).toISOString());
  const path = `/lessons?from=${from}&to=${to}&limit=${MOST_A_DAY}`;
  const { lessons, next, total } = await get<{ lessons: Lesson[]; next: string | null; total: number }>(path);
  return { ...day, lessons: endedOn(lessons, day), more: next === null ? null : total };
}

/** A lesson over midnight belongs to the day of its start. */
export function endedOn(lessons: readonly Lesson[], day: Day): Lesson[] {
  return lessons
    .filter(({ start }) => Date.parse(start) >= day.fromMs && Date.parse(start) < day.toMs)
    .filter((lesson) => lesson.state === "ended" && lesson.can.diagnose)
    .sort((a, b) => Date.parse(a.start) - Date.parse(b.start) || (a.id < b.id ? -1 : 1));
}
