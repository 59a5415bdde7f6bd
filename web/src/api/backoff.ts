/** Capped random back-off: each wait is random, from half the bound to the bound. The bound doubles up to `maximumMs`. */
export class Backoff {
  private attempt = 0;

  constructor(
    private readonly firstMs: number,
    private readonly maximumMs: number,
    private readonly random: () => number = Math.random,
  ) {}

  nextMs(): number {
    const bound = Math.min(this.maximumMs, this.firstMs * 2 ** Math.min(this.attempt, 20));
    this.attempt += 1;
    return bound * (0.5 + this.random() / 2);
  }

  reset(): void {
    this.attempt = 0;
  }
}
