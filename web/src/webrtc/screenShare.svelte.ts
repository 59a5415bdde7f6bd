// A shared screen: asked for by a person, sent over a connection of its own until they stop it, the lesson ends, or
// another machine shares as the same room.

import type { ScreenGrant } from "../api/types";
import { BrowserScreenPublisher } from "./publisher";
import { ReconnectingPeer } from "./reconnectingPeer";

const FRAMES = { ideal: 10, max: 15 };
const OVERLAP_MS = 3_000;

export class ScreenShare {
  active = $state(false);
  /** It reaches the others; false while it is on its way, or the network is away. */
  connected = $state(false);
  /** The last one ended because another machine shares, which it still does. */
  replaced = $state(false);
  /** What is shown; null: nothing. */
  track = $state.raw<MediaStreamTrack | null>(null);
  private choosing = false;
  private peer: ReconnectingPeer<BrowserScreenPublisher> | null = null;
  private client: string | null = null;
  private epoch: string | null = null; // of the bridge that it is sent to
  private confirmed = false; // the others have been shown ours

  /** `grant`: to publish it, asked for at each attempt; null: not now. */
  constructor(private readonly grant: () => Promise<ScreenGrant | null> | ScreenGrant | null) {}

  /** Phones cannot, nor can pages without HTTPS. */
  static get isSupported(): boolean {
    return (navigator.mediaDevices as Partial<MediaDevices> | undefined)?.getDisplayMedia !== undefined;
  }

  async start(): Promise<void> {
    if (this.active || this.choosing) return;
    this.choosing = true;
    this.replaced = false;
    try {
      // Without sound: it would carry the other rooms' voices back to them.
      const screen = await navigator.mediaDevices.getDisplayMedia({ video: { frameRate: FRAMES }, audio: false });
      const [track] = screen.getVideoTracks();
      if (track !== undefined) this.send(track);
    } catch {
      // The person has thought better of it.
    } finally {
      this.choosing = false;
    }
  }

  /** `leaving`: the page goes away. */
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

  /** Younger tokens; of another epoch: for the bridge at which the lesson goes on. */
  refresh(grant: ScreenGrant): void {
    this.bridgeChanged(grant.epoch);
    this.peer?.refresh(grant);
  }

  /** The epoch of the lesson's bridge: at another bridge it is sent anew. null: it has none now. */
  bridgeChanged(epoch: string | null): void {
    if (epoch === null || this.epoch === null || epoch === this.epoch) return;
    this.epoch = epoch;
    this.peer?.renew();
  }

  /** Which client's screen the room shares now: the newest. Another one after ours has taken its place. */
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
    track.onended = () => this.stop(); // the browser's own button
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
