/** Detects that no slot decodes frames although some should: after 3 s, and after twice as long each time a renewal did not help. */
export class StallDetector {
  private frames = -1;
  private since = 0;
  private limitMs = FIRST_LIMIT_MS;

  /** Returns whether the connection should be renewed. `frames`: decoded on it so far; `expected`: whether frames must come. */
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
