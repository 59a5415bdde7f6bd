// Where a person's roles count: at the organisation where they are held, and at all below it.

import type { Me, Organisation, Role } from "../api/types";

/** The organisations where `held` gives at least one of `wanted`, in the order of their names. */
export function reach(organisations: readonly Organisation[], held: Me["roles"], wanted: readonly Role[]): Organisation[] {
  const roots = new Set(held.filter((each) => wanted.includes(each.role)).map((each) => each.organisation.id));
  const parents = new Map(organisations.map((each) => [each.id, each.parent]));
  const counts = (id: string): boolean => {
    let at: string | null | undefined = id;
    for (let steps = 0; at != null && steps <= organisations.length; steps += 1) {
      if (roots.has(at)) return true;
      at = parents.get(at);
    }
    return false;
  };
  return organisations.filter((each) => counts(each.id)).sort((a, b) => a.name.localeCompare(b.name, "vi"));
}
