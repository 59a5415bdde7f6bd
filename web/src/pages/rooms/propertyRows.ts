// The rows of a device's card: which properties share one. Pure.

import type { Property } from "../../api/types";

export interface Row {
  main: Property;
  /** A second property for the same thing: a cover's position beside its state. */
  beside: Property | null;
}

/** Settable properties come first. */
export function propertyRows(properties: readonly Property[]): Row[] {
  const byName = new Map(properties.map((property) => [property.name, property]));
  const position = byName.has("cover") ? byName.get("cover.position") : undefined;
  return properties
    .filter((property) => property !== position)
    .map((main) => ({ main, beside: main.name === "cover" ? (position ?? null) : null }))
    .sort((a, b) => Number(b.main.settable) - Number(a.main.settable));
}
