// The origin under which other machines reach the server of this page. Pure.

/** Null: the page was opened at a loopback or unspecified address, which no other machine can use. */
export function reachableOrigin(origin: string): string | null {
  const { hostname } = new URL(origin);
  return /^(localhost|127\..*|0\.0\.0\.0|\[::1?\])$|\.localhost$/.test(hostname) ? null : origin;
}
