// `window.nhipcau`: figures that tests and benchmarks read. The app itself does not use them.

import { EMPTY_SAMPLE, type Sample, total } from "./statsSample";

/** All times are milliseconds since 1970 on this machine's clock (performance.timeOrigin + performance.now()). */
export interface PageStats {
  page: "display" | "today";
  times: Record<string, number>;
  states: Record<string, string>;
  framesDecoded: Record<string, number>;
  totalAudioEnergy: Record<string, number>;
  framesSent: number;
  /** Of received video, by mid. */
  framesDropped: Record<string, number>;
  freezes: Record<string, number>;
  frameHeight: Record<string, number>;
  /** Share of the audio since the connection began that the decoder concealed. */
  concealed: number;
  /** Of the layers sent, by rid. */
  sentHeight: Record<string, number>;
}

declare global {
  interface Window {
    nhipcau?: { stats(): Promise<PageStats> };
  }
}

export const nowMs = (): number => performance.timeOrigin + performance.now();

export function statsOf(page: PageStats["page"], times: Record<string, number>, states: Record<string, string>, play: Readonly<Sample>, publish: Readonly<Sample> = EMPTY_SAMPLE): PageStats {
  return {
    page,
    times: { ...times },
    states,
    framesDecoded: play.framesDecoded,
    totalAudioEnergy: play.audioEnergy,
    framesSent: publish.framesSent,
    framesDropped: play.framesDropped,
    freezes: play.freezes,
    frameHeight: play.height,
    concealed: total(play.concealed) / Math.max(1, total(play.audioSamples)),
    sentHeight: publish.height,
  };
}
