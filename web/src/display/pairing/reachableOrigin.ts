// The address at which other machines find the server that this display came from. Pure.

/** Null: this display runs on the server itself, under a name that means "myself", or "any", on every machine. */
export function reachableOrigin(origin: string): string | null {
  const { hostname } = new URL(origin);
  return /^(localhost|127\..*|0\.0\.0\.0|\[::1?\])$|\.localhost$/.test(hostname) ? null : origin;
}
