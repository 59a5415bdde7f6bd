// A site's picture, sound and network in words.

import type { Site, SiteQuality, Word } from "../../api/types";
import type { Words } from "../vi/words";
import { withheldText } from "./site";
import type { Tone } from "./tone";

export function mediaText(words: Words, site: Site): { text: string; tone: Tone } {
  const { media: say } = words;
  const { media } = site;
  if (media.link === "lost") return { text: say.lost, tone: "bad" };
  const withheld = withheldText(words, site);
  if (withheld !== null && (media.video || site.camera_off) && (media.audio || site.muted)) {
    return media.receiving ? { text: withheld, tone: "quiet" } : { text: say.notReceiving, tone: "warn" };
  }
  if (!media.video && !media.audio) return { text: say.none, tone: "busy" };
  if (!media.video) return { text: say.soundOnly, tone: "warn" };
  if (!media.audio) return { text: say.pictureOnly, tone: "warn" };
  if (!media.receiving) return { text: say.notReceiving, tone: "warn" };
  if (media.link === "weak") return { text: say.weak, tone: "warn" };
  return { text: say.good, tone: "good" };
}

/** What is wrong with a site's connection, and on which side. `school`: the site's school. */
export function connectionText(words: Words, quality: SiteQuality, school: string): string {
  if (quality.side === "others") return words.connection.others;
  if (quality.cause === "not_connected" && quality.word === "weak") return words.connection.otherLine(school);
  return words.connection.cause[quality.cause](school);
}

export const wordTone: Record<Word, Tone> = { good: "good", weak: "warn", lost: "bad" };
