// A WHIP or WHEP connection that is always wanted: made, watched, restarted, renewed with capped random back-off.

import { Backoff } from "../api/backoff";
import type { Grant } from "../api/types";
import type { Peer } from "./peer";
import { SignalingError } from "./whip";

export type LastingState = "stopped" | "connecting" | "connected" | "unsteady" | "waiting";

const CONNECT_TIMEOUT_MS = 4_000;
const DISCONNECTED_GRACE_MS = 2_000;
const FIRST_WAIT_MS = 150;
const MAXIMUM_WAIT_MS = 3_000;
/** A connection that lasted this long was a good one: the next wait is short again. */
const GOOD_MS = 5_000;

const LEGAL: Record<LastingState, readonly LastingState[]> = {
  stopped: ["connecting"],
  connecting: ["connected", "waiting", "stopped"],
  connected: ["unsteady", "waiting", "connecting", "stopped"],
  unsteady: ["connected", "waiting", "connecting", "stopped"],
  waiting: ["connecting", "stopped"],
};

export class LastingPeer<P extends Peer> {
  state: LastingState = "stopped";
  peer: P | null = null;
  private readonly backoff = new Backoff(FIRST_WAIT_MS, MAXIMUM_WAIT_MS);
  private timer: ReturnType<typeof setTimeout> | undefined;
  private connectedAt: number | null = null;
  private lastGrant: Grant | null = null;

  /** `grant` is asked for at each attempt, since tokens are renewed; null: nothing can be asked of the server now. */
  constructor(
    private readonly make: () => P,
    private readonly grant: () => Promise<Grant | null> | Grant | null,
    private readonly changed: () => void,
  ) {}

  /** A younger token for the same connection. */
  refresh(grant: Grant): void {
    if (this.lastGrant !== null) this.lastGrant = grant;
  }

  start(): void {
    if (this.state === "stopped") this.attempt();
  }

  /** Ends the connection for good. `leaving`: the page is going away. */
  stop(leaving = false): void {
    this.drop(leaving);
    this.moveTo("stopped");
  }

  /** Give the present connection up for a new one, at once. */
  renew(): void {
    if (this.state === "stopped" || this.state === "connecting") return;
    this.drop();
    this.attempt();
  }

  private attempt(): void {
    this.moveTo("connecting");
    const peer = this.make();
    this.peer = peer;
    peer.onState = () => this.observe(peer);
    this.timer = setTimeout(() => this.failed(peer), CONNECT_TIMEOUT_MS);
    void this.connect(peer);
  }

  private async connect(peer: P): Promise<void> {
    try {
      const grant = await this.grant();
      if (this.peer !== peer) return;
      if (grant === null) throw new SignalingError(0);
      this.lastGrant = grant;
      await peer.connect(grant);
      if (this.peer === peer) this.changed(); // its tracks exist now
    } catch (error) {
      this.failed(peer, error instanceof SignalingError ? (error.retryAfterMs ?? 0) : 0);
    }
  }

  private observe(peer: P): void {
    if (this.peer !== peer) return;
    if (peer.state === "connected" && this.state !== "connected") {
      clearTimeout(this.timer);
      this.connectedAt ??= performance.now();
      this.moveTo("connected");
    } else if (peer.state === "disconnected" && this.state === "connected") {
      this.moveTo("unsteady");
      this.timer = setTimeout(() => this.failed(peer), DISCONNECTED_GRACE_MS);
      void this.restart(peer);
    } else if (peer.state === "failed" || peer.state === "closed") {
      this.failed(peer);
    }
  }

  /** A changed network needs no new connection, only new ICE credentials. Should it not help, the grace ends it. */
  private async restart(peer: P): Promise<void> {
    try {
      if (this.lastGrant !== null) await peer.restart(this.lastGrant);
    } catch {
      // The server knows no such resource any more, or cannot be reached: renewed when the grace is over.
    }
  }

  private failed(peer: P, atLeastMs = 0): void {
    if (this.peer !== peer) return;
    if (this.connectedAt !== null && performance.now() - this.connectedAt > GOOD_MS) this.backoff.reset();
    this.drop();
    this.moveTo("waiting");
    this.timer = setTimeout(() => this.attempt(), Math.max(atLeastMs, this.backoff.nextMs()));
  }

  private drop(leaving = false): void {
    clearTimeout(this.timer);
    const peer = this.peer;
    this.peer = null;
    this.connectedAt = null;
    if (peer === null) return;
    peer.onState = null;
    peer.close(this.lastGrant, leaving);
  }

  private moveTo(state: LastingState): void {
    if (state === this.state) return;
    if (!LEGAL[this.state].includes(state)) throw new Error(`connection: ${this.state} -> ${state}`);
    this.state = state;
    this.changed();
  }
}
