// When the teacher tapped, for whoever measures how long the picture takes.

import { nowMs } from "../../webrtc/pageStats";

export const times: Record<string, number> = {};

export const marks = {
  startTapped(): void {
    times.startTapped = nowMs();
    delete times.firstFrame;
  },
  firstFrame(atMs: number): void {
    times.firstFrame ??= atMs;
  },
};
