// TURN servers, for networks that pass nothing else. A server tells of them only with its answer (RFC 9725 4.6), so a
// connection starts without; one that has lost its way may use them at once. Once one has not come up, or not come back,
// all later ones of this page may use them; and once one came up by a relay, so may the first one after the next load, for
// a week: it then waits for the answer, which names the servers, before it begins. Direct ways, by UDP or TCP, are tried
// beside them each time; the first connection that takes one ends that memory.

const STORED = "nhipcau.relays";
/** Lessons come weekly, and the network of a room seldom changes. */
const REMEMBERED_MS = 7 * 86_400_000;
const WRITTEN_EVERY_MS = 3_600_000;

let known: RTCIceServer[] = [];
let needed: boolean | null = null; // null: not looked up yet

/** Whether a connection may need them: then it begins once the answer has told of them, and not before. */
export function relaysNeeded(): boolean {
  needed ??= rememberedMs() > 0;
  return needed;
}

/** What a connection may use now. `lost`: it came up, and has lost its way. */
export function relays({ lost = false } = {}): RTCIceServer[] {
  return lost || relaysNeeded() ? known : [];
}

/** Younger credentials, or none: the node has no TURN server. */
export function learnRelays(servers: RTCIceServer[]): void {
  known = servers;
}

/** A connection did not come up, or back, by itself. */
export function needRelays(): void {
  needed = true;
}

/** A connection came up, or goes on, this way; `relayed` null: not known yet. */
export function cameBy(relayed: boolean | null): void {
  if (relayed === true) {
    if (rememberedMs() < REMEMBERED_MS - WRITTEN_EVERY_MS) {
      localStorage.setItem(STORED, String(Date.now() + REMEMBERED_MS));
    }
  } else if (relayed === false && rememberedMs() > 0) {
    localStorage.removeItem(STORED);
  }
}

/** For how long it will be remembered that this machine needs relays; 0: it is not. */
function rememberedMs(): number {
  const leftMs = Number(localStorage.getItem(STORED)) - Date.now();
  return leftMs > 0 && leftMs <= REMEMBERED_MS ? leftMs : 0; // a clock that was set back must not prolong it
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
