// Organisations as lines of a tree.

import type { Id, Organisation } from "../api/types";

/** An organisation as a line of the tree. `depth`: how many of those shown are above it. */
export interface TreeLine {
  organisation: Organisation;
  depth: number;
}

/** Each under the one above it, as far as that is shown; a loop, which would be a fault, is shown flat. */
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
