// The audit log as this administrator may read it: a page at a time, the newest first.

import { ApiError, get } from "../api/http";
import type { AuditEntry } from "../api/types";
import { type AuditFilter, query } from "./auditFilter";
import { login } from "./login.svelte";

export class AuditLog {
  entries = $state.raw<AuditEntry[]>([]);
  state = $state<"loading" | "ready" | "failed">("loading");
  error = $state.raw<unknown>(null);
  /** Whether there are older ones. */
  more = $state(false);
  private next: string | null = null; // no state: whoever asks for a page must not ask again because it came
  private asked = 0;

  async read(wish: AuditFilter): Promise<void> {
    this.entries = [];
    this.next = null;
    this.more = false;
    await this.ask(wish);
  }

  async older(wish: AuditFilter): Promise<void> {
    await this.ask(wish);
  }

  private async ask(wish: AuditFilter): Promise<void> {
    const number = ++this.asked;
    this.state = "loading";
    try {
      const page = await get<{ entries: AuditEntry[]; next: string | null }>(`/audit?${query(wish, this.next)}`);
      if (number !== this.asked) return; // Something else was asked for meanwhile.
      this.entries = [...this.entries, ...page.entries];
      this.next = page.next;
      this.more = page.next !== null;
      this.state = "ready";
    } catch (error) {
      if (number !== this.asked) return;
      if (error instanceof ApiError && error.status === 401) login.forget();
      this.error = error;
      this.state = "failed";
    }
  }
}
