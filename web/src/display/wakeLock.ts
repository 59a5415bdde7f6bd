// Keeps the machine's screen on while the display is shown.

export class ScreenWakeLock {
  private lock: WakeLockSentinel | null = null;

  start(): void {
    document.addEventListener("visibilitychange", this.request);
    this.request();
  }

  stop(): void {
    document.removeEventListener("visibilitychange", this.request);
    this.lock?.removeEventListener("release", this.request);
    void this.lock?.release();
  }

  /** Called again when the page becomes visible, and when the system released the lock. */
  private readonly request = (): void => {
    const held = this.lock !== null && !this.lock.released;
    if (held || document.visibilityState !== "visible" || !("wakeLock" in navigator)) return;
    navigator.wakeLock.request("screen").then(
      (lock) => {
        this.lock = lock;
        lock.addEventListener("release", this.request, { once: true });
      },
      () => undefined, // low battery or not allowed: the system's own settings decide
    );
  };
}
