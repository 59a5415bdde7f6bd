import { expect, it } from "vitest";
import type { Site, SiteQuality } from "../../api/types";
import { siteBadge, sitesNeedingAttention } from "./site";

const weak: SiteQuality = { word: "weak", cause: "uplink_slow", side: "site" };

it("a weak connection is on the badge of the site where the cause is", () => {
  const ready = { ready: true, invitation: "accepted", devices: { state: "ready", steps: [] }, problems: [] };
  const badge = (quality: SiteQuality | null): string => siteBadge({ ...ready, quality } as unknown as Site).key;
  expect([null, weak, { ...weak, side: "others" } as const, { ...weak, word: "lost" } as const].map(badge)).toEqual(["ready", "weak", "ready", "lost"]);
  expect((["cpu", "node"] as const).map((cause) => badge({ ...weak, cause }))).toEqual(["cpu", "node"]);
});

it("what needs attention is counted in the headline where it is on a badge", () => {
  const good = { ready: true, invitation: "accepted", devices: { state: "ready", steps: [] }, problems: [], quality: null } as unknown as Site;
  expect(sitesNeedingAttention([good, good])).toBe(0);
  expect(sitesNeedingAttention([good, { ...good, quality: weak }, { ...good, invitation: "pending" }])).toBe(2);
});
