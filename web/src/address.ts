// The app's addresses: `pages.json` is their only list, for this router and for the server, which answers 404 to all others.

import patterns from "./pages.json";

export interface Address {
  /** The pattern, as `pages.json` has it. */
  page: string;
  /** The value of each place of the pattern, by the place's name. */
  values: Record<string, string>;
}

/** Null: the app has no such page. */
export function addressOf(path: string): Address | null {
  for (const page of patterns) {
    const values = match(page, path);
    if (values !== null) return { page, values };
  }
  return null;
}

function match(page: string, path: string): Record<string, string> | null {
  const places = page.split("/");
  const parts = path.split("/");
  if (places.length !== parts.length) return null;
  const values: Record<string, string> = {};
  for (const [index, place] of places.entries()) {
    const part = parts[index] ?? "";
    const name = /^{(\w+)}$/.exec(place)?.[1];
    if (name === undefined ? place !== part : !/^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(part)) return null;
    if (name !== undefined) values[name] = part;
  }
  return values;
}
