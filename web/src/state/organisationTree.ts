// Organisations as lines of a tree.

import type { Id, Organisation } from "../api/types";

/** `depth`: how many of the organisations shown are above this one. */
export interface TreeLine {
  organisation: Organisation;
  depth: number;
}

/** Each organisation follows its parent, where that is shown. Organisations in a loop, which would be a fault, come last and flat. */
export function treeLines(organisations: readonly Organisation[]): TreeLine[] {
  const shown = new Set(organisations.map((each) => each.id));
  const lines: TreeLine[] = [];
  const addBelow = (parent: Id | null, depth: number): void => {
    for (const organisation of organisations) {
      const top = organisation.parent === null || !shown.has(organisation.parent);
      if (top ? parent !== null : organisation.parent !== parent) continue;
      lines.push({ organisation, depth });
      if (depth < organisations.length) addBelow(organisation.id, depth + 1);
    }
  };
  addBelow(null, 0);
  const listed = new Set(lines.map((each) => each.organisation.id));
  return [...lines, ...organisations.filter((each) => !listed.has(each.id)).map((organisation) => ({ organisation, depth: 0 }))];
}
