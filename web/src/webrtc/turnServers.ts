// TURN servers, for networks that pass nothing else. A server tells of them only with its answer (RFC 9725 4.6), so a
// connection starts without; one that has lost its way may use them at once. Once one has not come up, or not come back,
// all later ones of this page may use them; and once one came up by a relay, so may the first one after the next load, for
// a week: it then waits for the answer, which names the servers, before it begins. Direct ways, by UDP or TCP, are tried
// beside them each time; the first connection that takes one ends that memory.

const STORED = "nhipcau.relays";
/** Lessons come weekly, and the network of a room seldom changes. */
const REMEMBERED_MS = 7 * 86_400_000;
const WRITTEN_EVERY_MS = 3_600_000;

let servers: RTCIceServer[] = [];
let turnNeeded: boolean | null = null; // null: not looked up yet

/** Whether a connection may need them: then it begins once the answer has told of them, and not before. */
export function isTurnNeeded(): boolean {
  turnNeeded ??= rememberedForMs() > 0;
  return turnNeeded;
}

/** What a connection may use now. `lost`: it came up, and has lost its way. */
export function usableTurnServers({ lost = false } = {}): RTCIceServer[] {
  return lost || isTurnNeeded() ? servers : [];
}

/** Younger credentials, or none: the node has no TURN server. */
export function setTurnServers(latest: RTCIceServer[]): void {
  servers = latest;
}

/** A connection did not come up, or back, by itself. */
export function requireTurn(): void {
  turnNeeded = true;
}

/** A connection came up, or goes on, this way; `relayed` null: not known yet. */
export function recordRoute(relayed: boolean | null): void {
  if (relayed === true) {
    if (rememberedForMs() < REMEMBERED_MS - WRITTEN_EVERY_MS) {
      localStorage.setItem(STORED, String(Date.now() + REMEMBERED_MS));
    }
  } else if (relayed === false && rememberedForMs() > 0) {
    localStorage.removeItem(STORED);
  }
}

/** For how long it will be remembered that this machine needs relays; 0: it is not. */
function rememberedForMs(): number {
  const leftMs = Number(localStorage.getItem(STORED)) - Date.now();
  return leftMs > 0 && leftMs <= REMEMBERED_MS ? leftMs : 0; // a clock that was set back must not prolong it
}
