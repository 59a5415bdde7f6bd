// When the teacher tapped, for whoever measures how long the picture takes.

import { nowMs } from "../../webrtc/pageStats";

export const recordedTimes: Record<string, number> = {};

export const tapTimings = {
  startTapped(): void {
    recordedTimes.startTapped = nowMs();
    delete recordedTimes.firstFrame;
  },
  firstFrame(atMs: number): void {
    recordedTimes.firstFrame ??= atMs;
  },
};
