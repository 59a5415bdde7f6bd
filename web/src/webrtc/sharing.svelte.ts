// A shared screen: asked for by a person, sent over a connection of its own until they stop it or the lesson ends.

import type { Grant } from "../api/types";
import { LastingPeer } from "./lasting";
import { BrowserScreenPublisher } from "./publisher";

const FRAMES = { ideal: 10, max: 15 };
const HOLD_MS = 3_000;

export class Sharing {
  active = $state(false);
  private track: MediaStreamTrack | null = null;
  private asking = false;
  private peer: LastingPeer<BrowserScreenPublisher> | null = null;

  /** `grant`: to publish it, asked for at each attempt; null: not now. */
  constructor(private readonly grant: () => Grant | null) {}

  static get possible(): boolean {
    return (navigator.mediaDevices as Partial<MediaDevices> | undefined)?.getDisplayMedia !== undefined;
  }

  async start(): Promise<void> {
    if (this.active || this.asking) return;
    this.asking = true;
    try {
      // Without sound: it would carry the other rooms' voices back to them.
      const screen = await navigator.mediaDevices.getDisplayMedia({ video: { frameRate: FRAMES }, audio: false });
      const [track] = screen.getVideoTracks();
      if (track !== undefined) this.send(track);
    } catch {
      // The person has thought better of it.
    } finally {
      this.asking = false;
    }
  }

  stop(): void {
    const { track, peer } = this;
    this.track = null;
    this.peer = null;
    this.active = false;
    peer?.stop();
    if (track === null) return;
    track.onended = null;
    track.stop();
  }

  /** Younger tokens for the same connection. */
  refresh(grant: Grant): void {
    this.peer?.refresh(grant);
  }

  /** The lesson goes on at another bridge. */
  moveOver(): void {
    this.peer?.renew();
  }

  private send(track: MediaStreamTrack): void {
    if (this.grant() === null) {
      track.stop(); // the lesson ended meanwhile
      return;
    }
    track.contentHint = "detail";
    track.onended = () => this.stop(); // the browser's own button
    this.track = track;
    this.active = true;
    this.peer = new LastingPeer(
      () => new BrowserScreenPublisher(track),
      this.grant,
      () => undefined,
      HOLD_MS,
    );
    this.peer.start();
  }
}
