// The audit log as this administrator may read it: a page at a time, the newest first.

import { ApiError, get } from "../api/http";
import type { AuditEntry } from "../api/types";
import { type AuditFilter, auditQuery } from "./auditFilter";
import { login } from "./login.svelte";

export class AuditLog {
  entries = $state.raw<AuditEntry[]>([]);
  state = $state<"loading" | "ready" | "failed">("loading");
  error = $state.raw<unknown>(null);
  /** Whether there are older ones. */
  hasOlder = $state(false);
  private next: string | null = null; // no state: whoever asks for a page must not ask again because it came
  private requested = 0;

  async read(filter: AuditFilter): Promise<void> {
    this.entries = [];
    this.next = null;
    this.hasOlder = false;
    await this.readPage(filter);
  }

  async readOlder(filter: AuditFilter): Promise<void> {
    await this.readPage(filter);
  }

  private async readPage(filter: AuditFilter): Promise<void> {
    const number = ++this.requested;
    this.state = "loading";
    try {
      const page = await get<{ entries: AuditEntry[]; next: string | null }>(`/audit?${auditQuery(filter, this.next)}`);
      if (number !== this.requested) return; // Something else was asked for meanwhile.
      this.entries = [...this.entries, ...page.entries];
      this.next = page.next;
      this.hasOlder = page.next !== null;
      this.state = "ready";
    } catch (error) {
      if (number !== this.requested) return;
      if (error instanceof ApiError && error.status === 401) login.forget();
      this.error = error;
      this.state = "failed";
    }
  }
}
