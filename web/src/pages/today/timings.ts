// When the teacher tapped Start and when the first picture came, for tests and benchmarks.

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
