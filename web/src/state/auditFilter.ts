// Which entries of the audit log a page requests.

/** "" means any. Days are written as date fields do: 2026-11-29. */
export interface AuditFilter {
  action: string;
  from: string;
  to: string;
}

/** From the first moment of `from` to the last of `to`, in the browser's time zone. */
export function auditQuery(filter: AuditFilter, cursor: string | null): URLSearchParams {
  const found = new URLSearchParams();
  if (filter.action !== "") found.set("action", filter.action);
  if (filter.from !== "") found.set("start", new Date(`${filter.from}T00:00:00`).toISOString());
  if (filter.to !== "") {
    const end = new Date(`${filter.to}T00:00:00`);
    end.setDate(end.getDate() + 1);
    found.set("end", end.toISOString());
  }
  if (cursor !== null) found.set("cursor", cursor);
  return found;
}
