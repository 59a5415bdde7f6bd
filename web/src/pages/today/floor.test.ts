import { describe, expect, it } from "vitest";
import type { Lesson, Mode, Site } from "../../api/types";
import { countdown, extendedS, isSilenced, mayHaveFloor, secondsLeft } from "./floor";

const NOW = Date.parse("2026-11-22T01:00:00Z");
const until = (s: number): { room: string; until: string } => ({ room: "guest", until: new Date(NOW + s * 1000).toISOString() });
const site = (id: string, invitation: Site["invitation"] = "accepted"): Site => ({ room: { id, name: "4A" }, invitation }) as unknown as Site;
const [host, guest, third, asked] = [site("host"), site("guest"), site("third"), site("asked", "pending")];

function lesson(mode: Mode, floor: Lesson["floor"] = null, end = true): Lesson {
  return { mode, floor, can: { start: false, end }, sites: [host, asked, guest, third] } as unknown as Lesson;
}

describe("the time that is left", () => {
  it("counts down to nothing and no further", () => {
    expect([180, 61, 60, 9.2, 0, -5].map((s) => countdown(secondsLeft(until(s), NOW)))).toEqual(["3:00", "1:01", "1:00", "0:10", "0:00", "0:00"]);
  });

  it("is longer by a minute, up to the longest", () => {
    expect([170, 0, -5, 29 * 60 + 30].map((s) => extendedS(until(s), NOW))).toEqual([230, 60, 60, 1800]);
  });
});

describe("who may have the floor", () => {
  it("is a room that takes part and is not the host's, while the person runs the lesson", () => {
    expect([host, guest, asked].map((each) => mayHaveFloor(lesson("called"), each))).toEqual([false, true, false]);
    expect(mayHaveFloor(lesson("called", null, false), guest)).toBe(false);
  });
});

describe("who is not heard", () => {
  it("is nobody in a discussion", () => {
    expect([host, guest, third].map((each) => isSilenced(lesson("discussion", until(9)), each))).toEqual([false, false, false]);
  });

  it.each(["teacher", "called"] as const)("is all but the host and who has the floor when it is %s", (mode) => {
    expect([host, guest, third].map((each) => isSilenced(lesson(mode, until(9)), each))).toEqual([false, false, true]);
    expect([host, guest, third].map((each) => isSilenced(lesson(mode), each))).toEqual([false, true, true]);
  });
});
