/** Notices a picture that stands still although somebody is being sent: 3 s at first, longer each time renewing was no help. */
export class StallDetector {
  private frames = -1;
  private since = 0;
  private limitMs = FIRST_LIMIT_MS;

  /** True when the connection should be renewed. `frames`: decoded on this connection so far. */
  update(nowMs: number, frames: number, expected: boolean): boolean {
    if (!expected || frames !== this.frames) {
      if (frames > this.frames && this.frames > 0) this.limitMs = FIRST_LIMIT_MS;
      this.frames = frames;
      this.since = nowMs;
      return false;
    }
    if (nowMs - this.since < this.limitMs) return false;
    this.limitMs = Math.min(this.limitMs * 2, MAXIMUM_LIMIT_MS);
    this.frames = -1;
    return true;
  }

  reset(): void {
    this.frames = -1;
    this.limitMs = FIRST_LIMIT_MS;
  }
}

const FIRST_LIMIT_MS = 3_000;
const MAXIMUM_LIMIT_MS = 30_000;
