import { expect, it } from "vitest";
import type { Lesson } from "../../api/types";
import { daysBefore, endedOn, todaysLessons } from "./pastDays";

const ZONE = "Asia/Ho_Chi_Minh";
const shown = (ms: number): string => new Date(ms).toISOString();

it("has the 14 days before today in Vietnam, the last one as far as it is kept", () => {
  const days = daysBefore(Date.parse("2026-11-22T18:30:00Z"), ZONE); // 01:30 on the 23rd there
  expect(days.length).toBe(14);
  expect(days.slice(0, 2).map(({ fromMs, toMs }) => [shown(fromMs), shown(toMs)])).toEqual([
    ["2026-11-21T17:00:00.000Z", "2026-11-22T17:00:00.000Z"],
    ["2026-11-20T17:00:00.000Z", "2026-11-21T17:00:00.000Z"],
  ]);
  expect(days.slice(-1).map(({ fromMs, toMs }) => [shown(fromMs), shown(toMs)])).toEqual([
    ["2026-11-08T18:30:00.000Z", "2026-11-09T17:00:00.000Z"],
  ]);
});

it("lists what was held that day and may be looked at, in order", () => {
  const lesson = (id: string, start: string, state: Lesson["state"] = "ended", diagnose = true): Lesson =>
    ({ id, start, state, can: { diagnose } }) as Lesson;
  const day = { fromMs: Date.parse("2026-11-20T17:00:00Z"), toMs: Date.parse("2026-11-21T17:00:00Z") };
  const found = endedOn(
    [
      lesson("late", "2026-11-21T03:00:00Z"),
      lesson("early", "2026-11-21T00:00:00Z"),
      lesson("over-midnight", "2026-11-20T16:50:00Z"),
      lesson("next", "2026-11-21T17:00:00Z"),
      lesson("cancelled", "2026-11-21T01:00:00Z", "cancelled"),
      lesson("never", "2026-11-21T01:00:00Z", "scheduled"),
      lesson("others", "2026-11-21T01:00:00Z", "ended", false),
    ],
    day,
  );
  expect(found.map(({ id }) => id)).toEqual(["early", "late"]);
});

it("counts a lesson over midnight to the day on which it began only", () => {
  const lesson = (id: string, start: string): Lesson => ({ id, start, state: "ended", can: { diagnose: true } }) as Lesson;
  const lessons = [lesson("over-midnight", "2026-11-21T16:50:00Z"), lesson("today", "2026-11-21T17:00:00Z")];
  const now = Date.parse("2026-11-21T17:45:00Z");
  expect(todaysLessons(lessons, now, ZONE).map(({ id }) => id)).toEqual(["today"]);
  const [yesterday] = daysBefore(now, ZONE);
  expect(yesterday && endedOn(lessons, yesterday).map(({ id }) => id)).toEqual(["over-midnight"]);
});
