// A site in words: its badge, and what its class does not send.

import type { Site, SiteQuality } from "../../api/types";
import type { Words } from "../vi/words";
import type { Tone } from "./tone";

/** The badge of a site: its tone, and the key of its word in `Words.site`. */
export function siteBadge(site: Site): { tone: Tone; key: keyof Words["site"] & DevicesKey } {
  if (site.invitation === "pending") return { tone: "warn", key: "waiting" };
  if (site.invitation !== "accepted") return { tone: "quiet", key: "refused" };
  if (site.quality?.word === "lost") return { tone: "bad", key: "lost" };
  if (site.ready && site.quality?.word === "weak" && site.quality.side !== "others") return { tone: "warn", key: weakness(site.quality) };
  if (site.ready && site.devices.state === "degraded") return { tone: "warn", key: "degraded" };
  if (site.ready) return { tone: "good", key: "ready" };
  switch (site.devices.state) {
    case "failed":
      return { tone: "bad", key: site.problems[0]?.code === "switched_off" ? "off" : "failed" };
    case "idle":
      return { tone: "quiet", key: "idle" };
    default:
      return site.problems.some((problem) => problem.importance === "essential")
        ? { tone: "bad", key: "failed" }
        : { tone: "busy", key: "preparing" };
  }
}

type DevicesKey = "weak" | "cpu" | "node" | "lost" | "off" | "waiting" | "refused" | "ready" | "preparing" | "degraded" | "failed" | "idle";

const weakness = ({ cause }: SiteQuality): "weak" | "cpu" | "node" => (cause === "cpu" || cause === "node" ? cause : "weak");

/** What a class does not send to the others; null: it sends all. */
export function withheldText(words: Words, { muted, camera_off: dark }: Pick<Site, "muted" | "camera_off">): string | null {
  if (muted && dark) return words.own.both;
  return muted ? words.own.muted : dark ? words.own.dark : null;
}

/** How many sites need somebody's attention. */
export function sitesNeedingAttention(sites: readonly Site[]): number {
  return sites.filter((site) => siteBadge(site).tone !== "good").length;
}
