// Shares a screen over a connection of its own, until the person stops it, the lesson ends, or another machine shares for
// the same room.

import type { ScreenGrant } from "../api/types";
import { BrowserScreenPublisher } from "./publisher";
import { ReconnectingPeer } from "./reconnectingPeer";

const FRAMES = { ideal: 10, max: 15 };
const OVERLAP_MS = 3_000;

export class ScreenShare {
  active = $state(false);
  /** Whether the connection is up. */
  connected = $state(false);
  /** Our share ended because another machine shares, which it still does. */
  replaced = $state(false);
  /** The shared screen; null: none. */
  track = $state.raw<MediaStreamTrack | null>(null);
  private choosing = false;
  private peer: ReconnectingPeer<BrowserScreenPublisher> | null = null;
  private client: string | null = null;
  private epoch: string | null = null; // of the bridge that receives it
  private confirmed = false; // the server has named ours as the room's share

  /** `grant` is called at each attempt to publish; null: no grant now. */
  constructor(private readonly grant: () => Promise<ScreenGrant | null> | ScreenGrant | null) {}

  /** False on phones, and without HTTPS. */
  static get isSupported(): boolean {
    return (navigator.mediaDevices as Partial<MediaDevices> | undefined)?.getDisplayMedia !== undefined;
  }

  async start(): Promise<void> {
    if (this.active || this.choosing) return;
    this.choosing = true;
    this.replaced = false;
    try {
      // No audio: it would send the other rooms' voices back to them.
      const screen = await navigator.mediaDevices.getDisplayMedia({ video: { frameRate: FRAMES }, audio: false });
      const [track] = screen.getVideoTracks();
      if (track !== undefined) this.send(track);
    } catch {
      // The person closed the browser's dialog.
    } finally {
      this.choosing = false;
    }
  }

  /** `leaving`: the page is closing. */
  stop(leaving = false): void {
    const { track, peer } = this;
    this.choosing = false;
    this.track = null;
    this.peer = null;
    this.active = false;
    this.connected = false;
    this.replaced = false;
    peer?.stop(leaving);
    if (track === null) return;
    track.onended = null;
    track.stop();
  }

  /** Sets newer tokens. Those of another epoch are for the bridge to which the lesson moved. */
  refresh(grant: ScreenGrant): void {
    this.bridgeChanged(grant.epoch);
    this.peer?.refresh(grant);
  }

  /** `epoch`: of the lesson's bridge; null: it has none now. At another bridge the screen is published again. */
  bridgeChanged(epoch: string | null): void {
    if (epoch === null || this.epoch === null || epoch === this.epoch) return;
    this.epoch = epoch;
    this.peer?.renew();
  }

  /** `client`: whose screen the room shares now, always the newest. Another client after ours has replaced it. */
  sharedBy(client: string | null): void {
    if (client === null) this.replaced = false;
    if (!this.active || client === null) return;
    if (client === this.client) {
      this.confirmed = true;
    } else if (this.confirmed) {
      this.stop();
      this.replaced = true;
    }
  }

  private send(track: MediaStreamTrack): void {
    if (!this.choosing) {
      track.stop(); // the lesson ended meanwhile
      return;
    }
    track.contentHint = "detail";
    track.onended = () => this.stop(); // by the browser's own button
    this.track = track;
    this.active = true;
    this.confirmed = false;
    this.epoch = null;
    const peer = new ReconnectingPeer(
      () => new BrowserScreenPublisher(track),
      () => this.fetchGrant(),
      () => {
        if (this.peer === peer) this.connected = peer.state === "connected";
      },
      OVERLAP_MS,
    );
    this.peer = peer;
    peer.start();
  }

  private async fetchGrant(): Promise<ScreenGrant | null> {
    const grant = await this.grant();
    this.client = grant?.client ?? this.client;
    this.epoch = grant?.epoch ?? this.epoch;
    return grant;
  }
}
