// Tells the bridge how large the page shows each slot, so that it sends no larger picture than that.

import { SignalingError } from "./whip";

export type Heights = Readonly<Record<string, number>>;

const SETTLE_MS = 150; // a window that is being dragged larger
const RETRY_MS = 2_000;

/** `put` sends the heights over the present connection. */
export class Layout {
  private heights: Heights = {};
  private told = "";
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly put: (heights: Heights) => Promise<void>) {}

  /** By mid, in device pixels; 0: not shown. */
  want(heights: Heights): void {
    this.heights = heights;
    this.later(SETTLE_MS);
  }

  /** There is a new connection, which knows nothing yet. */
  again(): void {
    this.told = "";
    this.later(0);
  }

  stop(): void {
    clearTimeout(this.timer);
  }

  private later(afterMs: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.tell(), afterMs);
  }

  private async tell(): Promise<void> {
    const heights = this.heights;
    const text = JSON.stringify(heights);
    if (text === this.told || text === "{}") return;
    this.told = text;
    try {
      await this.put(heights);
    } catch (error) {
      // A refusal stays one. What did not arrive is sent again, unless something newer was meanwhile.
      const passes = error instanceof SignalingError && (error.status === 0 || error.status >= 500);
      if (!passes || this.told !== text) return;
      this.told = "";
      this.later(RETRY_MS);
    }
  }
}
