import { expect, it } from "vitest";
import { startOfDay } from "./zone";

it.each([
  ["Asia/Ho_Chi_Minh", "2026-11-22T16:59:59.900Z", "2026-11-21T17:00:00.000Z"],
  ["Asia/Ho_Chi_Minh", "2026-11-22T17:00:00.000Z", "2026-11-22T17:00:00.000Z"],
  ["America/New_York", "2026-11-22T03:00:00.000Z", "2026-11-21T05:00:00.000Z"],
  ["UTC", "2026-11-22T00:00:00.000Z", "2026-11-22T00:00:00.000Z"],
])("says when the day began in %s at %s", (zone, at, began) => {
  expect(new Date(startOfDay(Date.parse(at), zone)).toISOString()).toBe(began);
});
