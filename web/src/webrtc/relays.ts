// TURN servers, for networks that pass nothing else. A server tells of them only with its answer (RFC 9725 4.6), so the
// first connection does without; once one has not come up, all later ones of this page may use them. Direct ways, by
// UDP or TCP, are still taken where there is one.

let known: RTCIceServer[] = [];
let needed = false;

/** What a connection may use now. */
export function relays(): RTCIceServer[] {
  return needed ? known : [];
}

/** Younger credentials, or none: the node has no TURN server. */
export function learnRelays(servers: RTCIceServer[]): void {
  known = servers;
}

/** A connection did not come up by itself. */
export function needRelays(): void {
  needed = true;
}

const PARAMETER = /;\s*([a-z-]+)\s*=\s*(?:"([^"]*)"|([^\s;,"]+))/gi;

/** The servers in `Link` headers: `<turn:host:3478?transport=udp>; rel="ice-server"; username="…"; credential="…"`. */
export function iceServers(link: string | null): RTCIceServer[] {
  const found: RTCIceServer[] = [];
  for (const [, url, parameters] of (link ?? "").matchAll(/<([^>]*)>((?:\s*;[^,"]*(?:"[^"]*")?)*)/g)) {
    const values = new Map<string, string>();
    for (const [, name, quoted, bare] of (parameters ?? "").matchAll(PARAMETER)) {
      values.set((name ?? "").toLowerCase(), quoted ?? bare ?? "");
    }
    if (url === undefined || values.get("rel") !== "ice-server") continue;
    const [username, credential] = [values.get("username"), values.get("credential")];
    if (/^turns?:/.test(url) && username !== undefined && credential !== undefined) {
      found.push({ urls: url, username, credential });
    } else if (/^stuns?:/.test(url)) {
      found.push({ urls: url });
    }
  }
  return found;
}
