// Tells the bridge how large the page shows each slot, so that it sends no larger picture than that.

import { SignalingError } from "./whip";

export type Heights = Readonly<Record<string, number>>;

const SETTLE_MS = 150; // a window that is being dragged larger
const RETRY_MS = 2_000;

/** `put` sends the heights over the present connection. */
export class LayoutSender {
  private heights: Heights = {};
  private sent = "";
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly put: (heights: Heights) => Promise<void>) {}

  /** By mid, in device pixels; 0: not shown. */
  set(heights: Heights): void {
    this.heights = heights;
    this.schedule(SETTLE_MS);
  }

  /** There is a new connection, which knows nothing yet. */
  resend(): void {
    this.sent = "";
    this.schedule(0);
  }

  stop(): void {
    clearTimeout(this.timer);
  }

  private schedule(afterMs: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.send(), afterMs);
  }

  private async send(): Promise<void> {
    const heights = this.heights;
    const text = JSON.stringify(heights);
    if (text === this.sent || text === "{}") return;
    this.sent = text;
    try {
      await this.put(heights);
    } catch (error) {
      // A refusal stays one. What did not arrive is sent again, unless something newer was meanwhile.
      const retriable = error instanceof SignalingError && (error.status === 0 || error.status >= 500);
      if (!retriable || this.sent !== text) return;
      this.sent = "";
      this.schedule(RETRY_MS);
    }
  }
}
