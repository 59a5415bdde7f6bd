const WEIGHT = { essential: 0, useful: 1, comfort: 2 } as const;

/** Essential things first, otherwise as they came. */
export function byImportance<T extends { importance: keyof typeof WEIGHT }>(list: readonly T[]): T[] {
  return [...list].sort((a, b) => WEIGHT[a.importance] - WEIGHT[b.importance]);
}
