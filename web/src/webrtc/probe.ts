// `window.nhipcau`: what tests and benchmarks read. Nothing in the app depends on it.

import type { Sample } from "./sample";

/** All times are milliseconds since 1970 on this machine's clock (performance.timeOrigin + performance.now()). */
export interface PageStats {
  page: "display" | "today";
  times: Record<string, number>;
  states: Record<string, string>;
  framesDecoded: Record<string, number>;
  totalAudioEnergy: Record<string, number>;
  framesSent: number;
}

declare global {
  interface Window {
    nhipcau?: { stats(): Promise<PageStats> };
  }
}

export const nowMs = (): number => performance.timeOrigin + performance.now();

export function statsOf(page: PageStats["page"], times: Record<string, number>, states: Record<string, string>, play: Sample, framesSent = 0): PageStats {
  return {
    page,
    times: { ...times },
    states,
    framesDecoded: play.framesDecoded,
    totalAudioEnergy: play.audioEnergy,
    framesSent,
  };
}
