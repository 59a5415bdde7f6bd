// A person's own view of a live lesson: every room's picture and sound on the work page, received only.

import { ApiError, post } from "../api/http";
import type { ServerEvent, Slots, Watch } from "../api/types";
import { events } from "../state/events.svelte";
import { LastingPeer, type LastingState } from "./lasting";
import { BrowserPlayer } from "./player";
import { EMPTY_SAMPLE, type Sample } from "./sample";

const ASK_AGAIN_MS = 2_000;

export class Watching {
  state = $state<LastingState>("stopped");
  tracks = $state.raw<ReadonlyMap<string, MediaStreamTrack>>(new Map());
  slots = $state.raw<Slots>({});
  private peer: LastingPeer<BrowserPlayer> | null = null;
  private epoch: string | number | null = null;
  private first: Watch | null = null;
  private stopListening: (() => void) | null = null;
  private again: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly lesson: string) {}

  start(): void {
    if (this.stopListening !== null) return;
    this.stopListening = events.listen((event) => this.take(event));
    void this.open();
  }

  stop(): void {
    this.stopListening?.();
    this.stopListening = null;
    clearTimeout(this.again);
    this.closePeer();
  }

  async sample(): Promise<Sample> {
    return (await this.peer?.peer?.sample()) ?? EMPTY_SAMPLE;
  }

  private async open(): Promise<void> {
    clearTimeout(this.again);
    let watch: Watch;
    try {
      watch = await this.ask();
    } catch (error) {
      // Not live (any more): the page will hear of it. Anything else passes.
      const over = error instanceof ApiError && (error.status === 409 || error.status === 404);
      if (this.stopListening !== null && !over) this.again = setTimeout(() => void this.open(), ASK_AGAIN_MS);
      return;
    }
    if (this.stopListening === null) return;
    this.closePeer();
    this.epoch = watch.epoch;
    this.first = watch;
    const peer = new LastingPeer(
      () => new BrowserPlayer(watch.video, watch.audio),
      () => this.grant(),
      () => this.show(),
    );
    this.peer = peer;
    peer.start();
  }

  private ask(): Promise<Watch> {
    return post<Watch>(`/lessons/${encodeURIComponent(this.lesson)}/watch`);
  }

  /** The first attempt has its token already; tokens are short-lived, so each later one asks for its own. */
  private async grant(): Promise<Watch["whep"] | null> {
    const { first } = this;
    this.first = null;
    if (first !== null) return first.whep;
    try {
      const watch = await this.ask();
      if (watch.epoch !== this.epoch) {
        void this.open();
        return null;
      }
      return watch.whep;
    } catch {
      return null;
    }
  }

  private take(event: ServerEvent): void {
    if (event.type !== "watch" || event.lesson !== this.lesson) return;
    this.slots = event.slots;
    // The lesson has moved to another bridge: go there at once.
    if (this.epoch !== null && event.epoch !== this.epoch) void this.open();
  }

  private show(): void {
    this.state = this.peer?.state ?? "stopped";
    this.tracks = new Map(this.peer?.peer?.tracks ?? []);
  }

  private closePeer(): void {
    const { peer } = this;
    this.peer = null;
    peer?.stop();
    this.show();
  }
}
