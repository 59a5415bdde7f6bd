// The days before today whose lessons' connections are still kept.

import { get } from "../../api/http";
import type { Lesson } from "../../api/types";
import { startOfDay } from "../../state/zone";

export const KEPT_DAYS = 14;
const DAY_MS = 86_400_000;

export interface Day {
  fromMs: number;
  toMs: number;
}

export interface PastDay extends Day {
  lessons: Lesson[];
}

/** Of the lessons that are over, those of today: one over midnight belongs to the day on which it began. */
export function ofToday(done: readonly Lesson[], nowMs: number, zone: string): Lesson[] {
  return done.filter(({ start }) => Date.parse(start) >= startOfDay(nowMs, zone));
}

/** Yesterday first; of the last one only what is still kept. */
export function daysBefore(nowMs: number, zone: string): Day[] {
  const todayMs = startOfDay(nowMs, zone);
  return Array.from({ length: KEPT_DAYS }, (_, before) => {
    const fromMs = todayMs - (before + 1) * DAY_MS;
    return { fromMs: Math.max(fromMs, nowMs - KEPT_DAYS * DAY_MS), toMs: fromMs + DAY_MS };
  });
}

/** The lessons held that day that may be looked at, by their start. A day at a time: a department has hundreds of them. */
export async function readDay(day: Day): Promise<PastDay> {
  const [from, to] = [day.fromMs, day.toMs].map((at) => new Date(at).toISOString());
  const { lessons } = await get<{ lessons: Lesson[] }>(`/lessons?from=${from}&to=${to}`);
  return { ...day, lessons: heldIn(lessons, day) };
}

/** A lesson over midnight belongs to the day on which it began. */
export function heldIn(lessons: readonly Lesson[], day: Day): Lesson[] {
  return lessons
    .filter(({ start }) => Date.parse(start) >= day.fromMs && Date.parse(start) < day.toMs)
    .filter((lesson) => lesson.state === "ended" && lesson.can.diagnose)
    .sort((a, b) => Date.parse(a.start) - Date.parse(b.start) || (a.id < b.id ? -1 : 1));
}
