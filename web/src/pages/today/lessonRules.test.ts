import { describe, expect, it } from "vitest";
import type { Lesson, Site } from "../../api/types";
import { expectedSites, isOutside, mayLeave, mayRemind, mayResume } from "./lessonRules";

const NOW = Date.parse("2026-11-22T01:00:00Z");

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
    expect(expectedSites(held([host, pending, at("k", { invitation: "declined" })]))).toEqual([host, pending]);
  });

  it("is reminded once a minute, and a lesson is resumed until its time", () => {
    const reminded = (reminded_at: string | null): boolean => mayRemind(at("g", { reminded_at }), NOW);
    expect([null, "2026-11-22T00:59:01Z", "2026-11-22T00:59:00Z"].map(reminded)).toEqual([true, false, true]);
    const resumes = (resume: string | null): boolean => mayResume({ can: { resume } } as unknown as Lesson, NOW);
    expect([null, "2026-11-22T01:00:00Z", "2026-11-22T01:00:01Z"].map(resumes)).toEqual([false, false, true]);
  });
});
