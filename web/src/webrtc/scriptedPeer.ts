// A connection that a test controls, in place of the browser's. Used by tests only.

import type { Grant } from "../api/types";
import type { Peer, PeerState } from "./peer";
import { emptySample, type Sample } from "./statsSample";
import { SignalingError } from "./whip";

export class ScriptedPeer implements Peer {
  state: PeerState = "new";
  onState: (() => void) | null = null;
  readonly log: string[] = [];
  frames = 0;
  layers: Readonly<Record<string, boolean>> = {};
  heights: Readonly<Record<string, number>> = {};
  stats: Partial<Sample> = {};
  readonly tracks = new Map<string, MediaStreamTrack>();

  /** `answer`: the HTTP status of the POST; `connects`: becomes "connected" at once. */
  constructor(
    private readonly answer = 201,
    private readonly connects = true,
  ) {}

  async connect(grant: Grant): Promise<void> {
    this.log.push(`post ${grant.token}`);
    if (this.answer !== 201) throw new SignalingError(this.answer, this.answer === 503 ? 1000 : null);
    if (this.connects) this.become("connected");
    return Promise.resolve();
  }

  async restart(grant: Grant): Promise<void> {
    this.log.push(`patch ${grant.token}`);
    return Promise.resolve();
  }

  async send(stream: MediaStream | null): Promise<void> {
    this.log.push(stream === null ? "send nothing" : "send");
    return Promise.resolve();
  }

  async setLayers(layers: Readonly<Record<string, boolean>>): Promise<void> {
    this.layers = layers;
    return Promise.resolve();
  }

  async layout(_: Grant, heights: Readonly<Record<string, number>>): Promise<void> {
    this.heights = heights;
    return Promise.resolve();
  }

  async sample(): Promise<Sample> {
    return Promise.resolve({ ...emptySample(), framesDecoded: { "0": this.frames }, audioEnergy: { "1": this.frames / 10 }, ...this.stats });
  }

  close(grant: Grant | null, leaving = false): void {
    this.log.push(`delete ${grant?.token ?? "-"}${leaving ? " leaving" : ""}`);
    this.state = "closed";
  }

  become(state: PeerState): void {
    this.state = state;
    this.onState?.();
  }
}
