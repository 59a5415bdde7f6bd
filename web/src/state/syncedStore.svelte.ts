// The base of all lists on the work pages: loads at each `hello`, follows events, reports failures.

import { ApiError } from "../api/http";
import type { ServerEvent } from "../api/types";
import { events } from "./events.svelte";
import { login } from "./login.svelte";

export type LoadState = "loading" | "ready" | "failed";

const RETRY_MS = 3_000;

export abstract class SyncedStore {
  state = $state<LoadState>("loading");
  error = $state.raw<unknown>(null);
  private stopListening: (() => void) | null = null;
  private retryTimer: ReturnType<typeof setTimeout> | undefined;

  start(): void {
    this.stopListening ??= events.listen((event) => {
      if (event.type === "hello") void this.refresh();
      else this.onEvent(event);
    });
    void this.refresh();
  }

  stop(): void {
    clearTimeout(this.retryTimer);
    this.stopListening?.();
    this.stopListening = null;
  }

  async refresh(): Promise<void> {
    clearTimeout(this.retryTimer);
    try {
      await this.load();
      this.error = null;
      this.state = "ready";
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) {
        login.forget();
        return;
      }
      this.error = error;
      // A list that was loaded stays on the page; only the first load can fail as a whole.
      if (this.state !== "ready") this.state = "failed";
      if (this.stopListening !== null) this.retryTimer = setTimeout(() => void this.refresh(), RETRY_MS);
    }
  }

  protected abstract load(): Promise<void>;
  protected abstract onEvent(event: ServerEvent): void;
}
