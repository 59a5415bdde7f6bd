// Which properties of a device stand in one row. Pure.

import type { Property } from "../../api/types";

export interface Row {
  main: Property;
  /** Two names for one thing: where a cover stands is also how far it is open. */
  beside: Property | null;
}

/** What can be set comes first. */
export function rowsOf(properties: readonly Property[]): Row[] {
  const byName = new Map(properties.map((property) => [property.name, property]));
  const position = byName.has("cover") ? byName.get("cover.position") : undefined;
  return properties
    .filter((property) => property !== position)
    .map((main) => ({ main, beside: main.name === "cover" ? (position ?? null) : null }))
    .sort((a, b) => Number(b.main.settable) - Number(a.main.settable));
}
