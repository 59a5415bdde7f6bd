// Which entries of the audit log are asked for, and how.

/** What is asked for; "" is any. Days as date fields write them: 2026-11-29. */
export interface AuditFilter {
  action: string;
  from: string;
  to: string;
}

/** Days are this place's, from their first moment to the end of the last. */
export function query(wish: AuditFilter, cursor: string | null): URLSearchParams {
  const found = new URLSearchParams();
  if (wish.action !== "") found.set("action", wish.action);
  if (wish.from !== "") found.set("start", new Date(`${wish.from}T00:00:00`).toISOString());
  if (wish.to !== "") {
    const end = new Date(`${wish.to}T00:00:00`);
    end.setDate(end.getDate() + 1);
    found.set("end", end.toISOString());
  }
  if (cursor !== null) found.set("cursor", cursor);
  return found;
}
