// The order of the server's lists, and how it searches them.

/** Sort keys, compared one after another; the last is an id. */
export type Place = readonly string[];

/** In small letters, without accents, đ as d: as the server folds names. */
export const folded = (text: string): string =>
  text
    .toLowerCase()
    .replaceAll("đ", "d")
    .normalize("NFD")
    .replace(/\p{M}/gu, "")
    .split(/\s+/u)
    .filter((word) => word !== "")
    .join(" ");

/** Above 0 where `a` comes after `b`. */
export function after(a: Place, b: Place): number {
  for (const [number, part] of a.entries()) {
    const other = b[number] ?? "";
    if (part !== other) return part < other ? -1 : 1;
  }
  return 0;
}
