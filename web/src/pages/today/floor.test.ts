import { describe, expect, it } from "vitest";
import type { Lesson, Mode, Site } from "../../api/types";
import { countdown, isOutside, leftS, longerS, mayCome, mayHaveFloor, mayLeave, mayRemind, mayResume, silenced } from "./floor";

const NOW = Date.parse("2026-11-22T01:00:00Z");
const until = (s: number): { room: string; until: string } => ({ room: "guest", until: new Date(NOW + s * 1000).toISOString() });
const site = (id: string, invitation: Site["invitation"] = "accepted"): Site => ({ room: { id, name: "4A" }, invitation }) as unknown as Site;
const [host, guest, third, asked] = [site("host"), site("guest"), site("third"), site("asked", "pending")];

function lesson(mode: Mode, floor: Lesson["floor"] = null, end = true): Lesson {
  return { mode, floor, can: { start: false, end }, sites: [host, asked, guest, third] } as unknown as Lesson;
}

describe("the time that is left", () => {
  it("counts down to nothing and no further", () => {
    expect([180, 61, 60, 9.2, 0, -5].map((s) => countdown(leftS(until(s), NOW)))).toEqual(["3:00", "1:01", "1:00", "0:10", "0:00", "0:00"]);
  });

  it("is longer by a minute, up to the longest", () => {
    expect([170, 0, -5, 29 * 60 + 30].map((s) => longerS(until(s), NOW))).toEqual([230, 60, 60, 1800]);
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
    expect([host, guest, third].map((each) => silenced(lesson("discussion", until(9)), each))).toEqual([false, false, false]);
  });

  it.each(["teacher", "called"] as const)("is all but the host and who has the floor when it is %s", (mode) => {
    expect([host, guest, third].map((each) => silenced(lesson(mode, until(9)), each))).toEqual([false, false, true]);
    expect([host, guest, third].map((each) => silenced(lesson(mode), each))).toEqual([false, true, true]);
  });
});

describe("who may leave, and who is outside", () => {
  const at = (school: string, change: object): Site => ({ room: { id: school }, school: { id: school }, invitation: "accepted", own: false, ...change }) as unknown as Site;
  const held = (sites: Site[], end = false): Lesson => ({ host: { id: "h" }, can: { end }, sites }) as unknown as Lesson;

  it("is a class from its own page, but for the one from which the lesson is held", () => {
    const sites = [at("h", { own: true }), { ...at("h", { own: true }), room: { id: "h2" } } as Site, at("g", {}), at("k", { own: true })];
    expect(sites.map((site) => mayLeave(held(sites), site))).toEqual([false, true, false, true]);
    const guest = at("g", { own: true });
    expect(mayLeave(held([guest]), guest)).toBe(true); // a department holds it, without a room of its own
    expect(mayLeave(held([guest]), { ...guest, invitation: "declined" })).toBe(false);
  });

  it("is a school of which no room takes part, unless it holds the lesson", () => {
    const [host, pending, other] = [at("h", {}), at("g", { own: true, invitation: "pending" }), at("g", { own: true })];
    expect([held([host, pending]), held([host, pending, other]), held([host]), held([pending], true)].map(isOutside)).toEqual([true, false, false, false]);
    expect(mayCome(held([host, pending, at("k", { invitation: "declined" })]))).toEqual([host, pending]);
  });

  it("is reminded once a minute, and a lesson is resumed until its time", () => {
    const reminded = (reminded_at: string | null): boolean => mayRemind(at("g", { reminded_at }), NOW);
    expect([null, "2026-11-22T00:59:01Z", "2026-11-22T00:59:00Z"].map(reminded)).toEqual([true, false, true]);
    const resumes = (resume: string | null): boolean => mayResume({ can: { resume } } as unknown as Lesson, NOW);
    expect([null, "2026-11-22T01:00:00Z", "2026-11-22T01:00:01Z"].map(resumes)).toEqual([false, false, true]);
  });
});
