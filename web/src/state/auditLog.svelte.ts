// The audit log as this administrator may read it: page by page, newest first.

import { ApiError, get } from "../api/http";
import type { AuditEntry } from "../api/types";
import { type AuditFilter, auditQuery } from "./auditFilter";
import { login } from "./login.svelte";

export class AuditLog {
  entries = $state.raw<AuditEntry[]>([]);
  state = $state<"loading" | "ready" | "failed">("loading");
  error = $state.raw<unknown>(null);
  /** Whether the server has older entries. */
  hasOlder = $state(false);
  private next: string | null = null; // no $state: an effect that reads a page must not run again when it arrives
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
      if (number !== this.requested) return; // another filter was chosen meanwhile
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
