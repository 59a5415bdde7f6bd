// The present time by the server's clock, updated once a second: a room's PC may be minutes off.

class Clock {
  now = $state(Date.now());
  private offsetMs = 0;

  constructor() {
    setInterval(() => this.tick(), 1000);
  }

  /** `time`: the server's present time, just received. */
  synchronise(time: string): void {
    const server = Date.parse(time);
    if (Number.isNaN(server)) return;
    this.offsetMs = server - Date.now();
    this.tick();
  }

  private tick(): void {
    this.now = Date.now() + this.offsetMs;
  }
}

export const clock = new Clock();
