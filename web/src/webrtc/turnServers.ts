// TURN servers, for networks that pass nothing else. A server names them only in its answer (RFC 9725 4.6), so a first
// connection starts without them. A connection that lost its route may use them at once. After one that failed to come up,
// or to come back, all later ones of this page may. After one that came up by a relay, this browser remembers for a week
// that it needs them: a connection then waits for the answer, which names the servers, before it gathers candidates.
// Direct routes, by UDP or TCP, are always tried too; the first connection that takes one ends that memory.

const STORED = "nhipcau.relays";
/** Lessons are weekly, and a room's network seldom changes. */
const REMEMBERED_MS = 7 * 86_400_000;
const WRITTEN_EVERY_MS = 3_600_000;

let servers: RTCIceServer[] = [];
let turnNeeded: boolean | null = null; // null: not looked up yet

/** Whether a connection may need them: it then gathers candidates only after the answer has named them. */
export function isTurnNeeded(): boolean {
  turnNeeded ??= rememberedForMs() > 0;
  return turnNeeded;
}

/** The servers that a connection may use now. `lost`: it was up, and has lost its route. */
export function usableTurnServers({ lost = false } = {}): RTCIceServer[] {
  return lost || isTurnNeeded() ? servers : [];
}

/** Sets newer credentials; an empty list: the node has no TURN server. */
export function setTurnServers(latest: RTCIceServer[]): void {
  servers = latest;
}

/** A connection did not come up, or come back, without them. */
export function requireTurn(): void {
  turnNeeded = true;
}

/** Records a connection's route. `relayed` null: not known yet. */
export function recordRoute(relayed: boolean | null): void {
  if (relayed === true) {
    if (rememberedForMs() < REMEMBERED_MS - WRITTEN_EVERY_MS) {
      localStorage.setItem(STORED, String(Date.now() + REMEMBERED_MS));
    }
  } else if (relayed === false && rememberedForMs() > 0) {
    localStorage.removeItem(STORED);
  }
}

/** How long this browser still remembers that it needs TURN servers; 0: it does not. */
function rememberedForMs(): number {
  const leftMs = Number(localStorage.getItem(STORED)) - Date.now();
  return leftMs > 0 && leftMs <= REMEMBERED_MS ? leftMs : 0; // a clock that was set back must not prolong it
}
