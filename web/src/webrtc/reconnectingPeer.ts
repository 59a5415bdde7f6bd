// A WHIP or WHEP connection that is always wanted: made, watched, restarted, renewed with capped random back-off.
// It can make before it breaks: the connection before is held until the new one has taken over what it did.

import { Backoff } from "../api/backoff";
import type { Grant } from "../api/types";
import type { Peer } from "./peer";
import { type Sample, total } from "./statsSample";
import { SignalingError } from "./whip";

export type ReconnectingState = "stopped" | "connecting" | "connected" | "disconnected" | "waiting";

/** For the grant and the answer; asking gives up by itself a little earlier. */
const ANSWER_TIMEOUT_MS = 5_500;
/** From the answer on. Both are longer where the answer took long: ICE and DTLS need some round trips more. */
const CONNECT_TIMEOUT_MS = 4_000;
const DISCONNECTED_GRACE_MS = 2_000;
const CONNECT_ROUNDS = 5;
const DISCONNECTED_ROUNDS = 3;
const FIRST_WAIT_MS = 150;
const MAXIMUM_WAIT_MS = 3_000;
const PROBE_EVERY_MS = 100;
/** A connection that lasted this long was a good one: the next wait is short again. */
const STABLE_MS = 5_000;

const MOVES: Record<ReconnectingState, readonly ReconnectingState[]> = {
  stopped: ["connecting"],
  connecting: ["connected", "waiting", "stopped"],
  connected: ["disconnected", "waiting", "connecting", "stopped"],
  disconnected: ["connected", "waiting", "connecting", "stopped"],
  waiting: ["connecting", "stopped"],
};

export class ReconnectingPeer<P extends Peer> {
  state: ReconnectingState = "stopped";
  peer: P | null = null;
  private readonly backoff = new Backoff(FIRST_WAIT_MS, MAXIMUM_WAIT_MS);
  private timer: ReturnType<typeof setTimeout> | undefined;
  private connectedAt: number | null = null;
  private roundMs = 0; // what the last answer took
  private lastGrant: Grant | null = null;
  private previous: { peer: P; grant: Grant | null } | null = null;
  private overlapTimer: ReturnType<typeof setTimeout> | undefined;
  private probeTimer: ReturnType<typeof setInterval> | undefined;

  /** `grant` is asked for at each attempt, since tokens are renewed; null: nothing can be asked of the server now.
   *
   * `overlapMs`: the connection before is held until the new one `isReady` as much as is asked of it, and no longer than this
   * once it has failed or the new one is there; 0: not at all.
   */
  constructor(
    private readonly make: () => P,
    private readonly grant: () => Promise<Grant | null> | Grant | null,
    private readonly changed: () => void,
    private readonly overlapMs = 0,
    private readonly isReady: (sample: Sample) => boolean = (sample) => total(sample.framesDecoded) > 0,
  ) {}

  /** The connection to be seen now: the one before as long as it is held. */
  get rendered(): P | null {
    return this.previous?.peer ?? this.peer;
  }

  get hasPrevious(): boolean {
    return this.previous !== null;
  }

  /** A younger token for the same connection. */
  refresh(grant: Grant): void {
    if (this.lastGrant !== null) this.lastGrant = grant;
  }

  start(): void {
    if (this.state === "stopped") this.attempt();
  }

  /** Ends the connection for good. `leaving`: the page is going away. */
  stop(leaving = false): void {
    const { peer } = this;
    this.detach();
    peer?.close(this.lastGrant, leaving);
    this.closePrevious(leaving);
    this.moveTo("stopped");
  }

  /** Give the present connection up for a new one, at once. */
  renew(): void {
    if (this.state === "stopped") return;
    this.replace();
    this.attempt();
  }

  private attempt(): void {
    this.moveTo("connecting");
    const peer = this.make();
    this.peer = peer;
    peer.onState = () => this.observe(peer);
    this.timer = setTimeout(() => this.failed(peer), ANSWER_TIMEOUT_MS);
    void this.connect(peer);
  }

  private async connect(peer: P): Promise<void> {
    try {
      const grant = await this.grant();
      if (this.peer !== peer) return;
      if (grant === null) throw new SignalingError(0);
      this.lastGrant = grant;
      const asked = performance.now();
      await peer.connect(grant);
      this.roundMs = performance.now() - asked;
      if (this.peer === peer && this.state === "connecting") {
        clearTimeout(this.timer);
        this.timer = setTimeout(() => this.failed(peer), Math.max(CONNECT_TIMEOUT_MS, CONNECT_ROUNDS * this.roundMs));
      }
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
      if (this.previous !== null) this.startOverlap();
      this.moveTo("connected");
    } else if (peer.state === "disconnected" && this.state === "connected") {
      this.moveTo("disconnected");
      const graceMs = Math.max(DISCONNECTED_GRACE_MS, DISCONNECTED_ROUNDS * this.roundMs);
      this.timer = setTimeout(() => this.failed(peer), graceMs);
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
    if (this.connectedAt !== null && performance.now() - this.connectedAt > STABLE_MS) this.backoff.reset();
    this.replace();
    this.moveTo("waiting");
    this.timer = setTimeout(() => this.attempt(), Math.max(atLeastMs, this.backoff.nextMs()));
  }

  /** The present connection is to be followed by another: hold it if it ever worked, close it otherwise. */
  private replace(): void {
    const { peer } = this;
    const worked = this.connectedAt !== null;
    this.detach();
    if (peer === null) return;
    if (this.overlapMs === 0 || !worked || this.previous !== null) {
      peer.close(this.lastGrant);
      return;
    }
    this.previous = { peer, grant: this.lastGrant };
    peer.onState = () => this.observePrevious(peer);
    this.probeTimer = setInterval(() => void this.probe(), PROBE_EVERY_MS);
    this.observePrevious(peer);
  }

  private observePrevious(peer: P): void {
    if (this.previous?.peer === peer && peer.state !== "connected") this.startOverlap();
  }

  /** For so long from now on, or from when it was first said. */
  private startOverlap(): void {
    this.overlapTimer ??= setTimeout(() => this.switchOver(), this.overlapMs);
  }

  private async probe(): Promise<void> {
    const { peer } = this;
    if (peer === null || this.state !== "connected") return;
    const sample = await peer.sample().catch(() => null);
    if (sample !== null && this.peer === peer && this.isReady(sample)) this.switchOver();
  }

  /** The new connection does what the one before did. */
  private switchOver(): void {
    if (this.previous === null) return;
    this.closePrevious();
    this.changed();
  }

  private closePrevious(leaving = false): void {
    clearTimeout(this.overlapTimer);
    clearInterval(this.probeTimer);
    this.overlapTimer = undefined;
    const { previous } = this;
    this.previous = null;
    if (previous === null) return;
    previous.peer.onState = null;
    previous.peer.close(previous.grant, leaving);
  }

  private detach(): void {
    clearTimeout(this.timer);
    if (this.peer !== null) this.peer.onState = null;
    this.peer = null;
    this.connectedAt = null;
  }

  private moveTo(state: ReconnectingState): void {
    if (state === this.state) return;
    if (!MOVES[this.state].includes(state)) throw new Error(`connection: ${this.state} -> ${state}`);
    this.state = state;
    this.changed();
  }
}
