// Sends the bridge the height at which the page shows each slot: the bridge then sends no larger picture.

import { SignalingError } from "./whip";

export type Heights = Readonly<Record<string, number>>;

const SETTLE_MS = 150; // while somebody drags the window's edge, heights change many times
const RETRY_MS = 2_000;

/** `put` sends the heights over the present connection. */
export class LayoutSender {
  private heights: Heights = {};
  private sent = "";
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly put: (heights: Heights) => Promise<void>) {}

  /** `heights`: by mid, in device pixels; 0: not shown. */
  set(heights: Heights): void {
    this.heights = heights;
    this.schedule(SETTLE_MS);
  }

  /** Sends the heights again, over a new connection. */
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
      // A refusal is final. Heights that did not arrive are sent again, unless newer ones were sent meanwhile.
      const retriable = error instanceof SignalingError && (error.status === 0 || error.status >= 500);
      if (!retriable || this.sent !== text) return;
      this.sent = "";
      this.schedule(RETRY_MS);
    }
  }
}
