// Prepares connections before a lesson: certificate, transceivers and offer are ready when it starts. The camera stays closed.

import { BrowserPlayer } from "../../webrtc/player";
import { BrowserPublisher } from "../../webrtc/publisher";

const STORED = "nhipcau.slots";
const MAX_SLOTS = 16;

interface SlotCounts {
  video: number;
  audio: number;
}

/** As many slots as the last lesson on this machine had: the next one probably has as many. */
function storedSlotCounts(): SlotCounts {
  const [video, audio] = (localStorage.getItem(STORED) ?? "2,1").split(",").map(Number);
  const valid = (count: number | undefined): number =>
    Number.isInteger(count) && count !== undefined && count > 0 && count <= MAX_SLOTS ? count : 1;
  return { video: valid(video), audio: valid(audio) };
}

export class PrewarmedPeers {
  private nextPlayer: BrowserPlayer | null = null;
  private nextPublisher: BrowserPublisher | null = null;

  prepare(): void {
    const { video, audio } = storedSlotCounts();
    this.nextPlayer ??= new BrowserPlayer(video, audio);
    this.nextPublisher ??= new BrowserPublisher();
  }

  player(video: number, audio: number): BrowserPlayer {
    const ready = this.nextPlayer;
    this.nextPlayer = null;
    if (ready?.video === video && ready.audio === audio) return ready;
    ready?.close(null);
    localStorage.setItem(STORED, `${video},${audio}`);
    return new BrowserPlayer(video, audio);
  }

  publisher(): BrowserPublisher {
    const ready = this.nextPublisher ?? new BrowserPublisher();
    this.nextPublisher = null;
    return ready;
  }

  close(): void {
    this.nextPlayer?.close(null);
    this.nextPublisher?.close(null);
    this.nextPlayer = null;
    this.nextPublisher = null;
  }
}
