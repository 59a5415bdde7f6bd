// Ages and durations in words.

import type { Words } from "../vi/words";

/** "3 phút trước": rounded, as people say it. */
export function ageText(words: Words, at: string, now: number): string {
  const { quality: say } = words;
  const seconds = Math.max(0, Math.round((now - Date.parse(at)) / 1000));
  if (seconds < 5) return say.now;
  if (seconds < 60) return say.seconds(seconds);
  if (seconds < 3600) return say.minutes(Math.round(seconds / 60));
  if (seconds < 86_400) return say.hours(Math.round(seconds / 3600));
  return say.days(Math.round(seconds / 86_400));
}

/** "25 phút", "1 giờ 5 phút". */
export function durationText(words: Words, ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 1) return words.today.moments;
  if (minutes < 60) return words.today.minutes(minutes);
  return words.today.hours(Math.floor(minutes / 60), minutes % 60);
}
