// Keeps a WHIP or WHEP connection up: restarts ICE, then reconnects with capped random back-off. It can make before break:
// the previous connection stays until the new one has replaced it.

import { Backoff } from "../api/backoff";
import type { Grant } from "../api/types";
import type { Peer } from "./peer";
import { type Sample, total } from "./statsSample";
import { SignalingError } from "./whip";

export type ReconnectingState = "stopped" | "connecting" | "connected" | "disconnected" | "waiting";

/** For the grant and the answer; the POST itself times out a little earlier. */
const ANSWER_TIMEOUT_MS = 5_500;
/** From the answer on. This and the next are longer where the answer took long: ICE and DTLS need more round trips. */
const CONNECT_TIMEOUT_MS = 4_000;
const DISCONNECTED_GRACE_MS = 2_000;
const CONNECT_ROUNDS = 5;
const DISCONNECTED_ROUNDS = 3;
const FIRST_WAIT_MS = 150;
const MAXIMUM_WAIT_MS = 3_000;
const PROBE_EVERY_MS = 100;
/** After a connection that lasted this long, the back-off starts anew. */
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
  private roundMs = 0; // how long the last answer took
  private lastGrant: Grant | null = null;
  private previous: { peer: P; grant: Grant | null } | null = null;
  private overlapTimer: ReturnType<typeof setTimeout> | undefined;
  private probeTimer: ReturnType<typeof setInterval> | undefined;

  /** `grant` is called at each attempt, since tokens change; null: no grant now.
   *
   * The previous connection stays until `isReady` is true of a sample of the new one, but at most `overlapMs` after it failed
   * or the new one connected. `overlapMs` 0: it is closed at once.
   */
  constructor(
    private readonly make: () => P,
    private readonly grant: () => Promise<Grant | null> | Grant | null,
    private readonly changed: () => void,
    private readonly overlapMs = 0,
    private readonly isReady: (sample: Sample) => boolean = (sample) => total(sample.framesDecoded) > 0,
  ) {}

  /** The connection whose tracks are to be rendered: the previous one as long as it stays. */
  get rendered(): P | null {
    return this.previous?.peer ?? this.peer;
  }

  get hasPrevious(): boolean {
    return this.previous !== null;
  }

  /** Sets a newer token for the same connection. */
  refresh(grant: Grant): void {
    if (this.lastGrant !== null) this.lastGrant = grant;
  }

  start(): void {
    if (this.state === "stopped") this.attempt();
  }

  /** Ends the connection for good. `leaving`: the page is closing. */
  stop(leaving = false): void {
    const { peer } = this;
    this.detach();
    peer?.close(this.lastGrant, leaving);
    this.closePrevious(leaving);
    this.moveTo("stopped");
  }

  /** Replaces the present connection by a new one at once. */
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
      const requestedAt = performance.now();
      await peer.connect(grant);
      this.roundMs = performance.now() - requestedAt;
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

  /** A changed network needs only an ICE restart. Where that does not help, the grace period ends the connection. */
  private async restart(peer: P): Promise<void> {
    try {
      if (this.lastGrant !== null) await peer.restart(this.lastGrant);
    } catch {
      // The server lost the resource or cannot be reached: a new connection follows after the grace period.
    }
  }

  private failed(peer: P, atLeastMs = 0): void {
    if (this.peer !== peer) return;
    if (this.connectedAt !== null && performance.now() - this.connectedAt > STABLE_MS) this.backoff.reset();
    this.replace();
    this.moveTo("waiting");
    this.timer = setTimeout(() => this.attempt(), Math.max(atLeastMs, this.backoff.nextMs()));
  }

  /** Another connection follows: the present one stays as the previous one if it ever connected, and is closed otherwise. */
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

  /** Starts the overlap's end, unless it has started. */
  private startOverlap(): void {
    this.overlapTimer ??= setTimeout(() => this.switchOver(), this.overlapMs);
  }

  private async probe(): Promise<void> {
    const { peer } = this;
    if (peer === null || this.state !== "connected") return;
    const sample = await peer.sample().catch(() => null);
    if (sample !== null && this.peer === peer && this.isReady(sample)) this.switchOver();
  }

  /** The new connection replaces the previous one. */
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
