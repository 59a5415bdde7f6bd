// Plays all rooms of a live lesson on a work page. It sends nothing.

import { ApiError, post } from "../../api/http";
import type { ServerEvent, Slots, Watch } from "../../api/types";
import { events } from "../../state/events.svelte";
import { type Heights, LayoutSender } from "../../webrtc/layoutSender";
import { BrowserPlayer } from "../../webrtc/player";
import { ReconnectingPeer, type ReconnectingState } from "../../webrtc/reconnectingPeer";
import { EMPTY_SAMPLE, type Sample } from "../../webrtc/statsSample";
import { SignalingError } from "../../webrtc/whip";

const ASK_AGAIN_MS = 2_000;
const OVERLAP_MS = 3_000;
const RENEW_EVERY_MS = 120_000; // a token is valid for five minutes, and each new layout needs one
const FEW = 4; // up to so many pictures are of middle size; more are all small
const FEW_HEIGHT = 360;
const SMALL_HEIGHT = 180;

export class LessonViewer {
  state = $state<ReconnectingState>("stopped");
  refused = $state(false); // this account may not see pictures
  tracks = $state.raw<ReadonlyMap<string, MediaStreamTrack>>(new Map());
  slots = $state.raw<Slots>({});
  private peer: ReconnectingPeer<BrowserPlayer> | null = null;
  private watch: Watch | null = null;
  private unusedWatch: Watch | null = null; // its token has not been used yet
  private latestSlots: Slots = {};
  private layoutSentTo: BrowserPlayer | null = null; // the connection that knows the slots' heights
  private readonly layout = new LayoutSender((heights) => this.putLayout(heights));
  private stopListening: (() => void) | null = null;
  private retryTimer: ReturnType<typeof setTimeout> | undefined;
  private renewTimer: ReturnType<typeof setInterval> | undefined;
  private readonly view = crypto.randomUUID(); // distinguishes this window from others of the same login

  constructor(private readonly lesson: string) {}

  start(): void {
    if (this.stopListening !== null) return;
    this.stopListening = events.listen((event) => this.onEvent(event));
    document.addEventListener("visibilitychange", this.updateLayout);
    this.renewTimer = setInterval(() => void (this.peer && this.renew()), RENEW_EVERY_MS);
    void this.open();
  }

  stop(): void {
    this.stopListening?.();
    this.stopListening = null;
    document.removeEventListener("visibilitychange", this.updateLayout);
    clearTimeout(this.retryTimer);
    clearInterval(this.renewTimer);
    this.layout.stop();
    const { peer } = this;
    this.peer = null;
    peer?.stop();
    this.update();
  }

  async sample(): Promise<Sample> {
    return (await this.peer?.peer?.sample()) ?? EMPTY_SAMPLE;
  }

  private async open(): Promise<void> {
    clearTimeout(this.retryTimer);
    let watch: Watch;
    try {
      watch = await this.requestWatch();
    } catch (error) {
      // 403, 404: the lesson is over or no longer this school's, and an event follows. Anything else is temporary, such as a bridge that is still opening.
      const over = error instanceof ApiError && [403, 404].includes(error.status);
      this.refused = error instanceof ApiError && error.status === 403;
      if (this.stopListening !== null && !over) this.retryTimer = setTimeout(() => void this.open(), ASK_AGAIN_MS);
      return;
    }
    this.refused = false;
    if (this.stopListening === null) return;
    this.watch = this.unusedWatch = watch;
    if (this.peer !== null) {
      this.peer.renew();
      return;
    }
    this.peer = new ReconnectingPeer(
      () => this.newPlayer(),
      () => this.grant(),
      () => this.update(),
      OVERLAP_MS,
    );
    this.peer.start();
  }

  private newPlayer(): BrowserPlayer {
    return new BrowserPlayer(this.watch?.video ?? 1, this.watch?.audio ?? 1);
  }

  private requestWatch(): Promise<Watch> {
    return post<Watch>(`/lessons/${encodeURIComponent(this.lesson)}/watch`, { view: this.view });
  }

  /** The first attempt has a token; each later one requests its own, since tokens are short-lived. */
  private async grant(): Promise<Watch["whep"] | null> {
    const { unusedWatch } = this;
    this.unusedWatch = null;
    return unusedWatch !== null ? unusedWatch.whep : this.renew();
  }

  /** A newer token for the same connection; null: none now, or the lesson is on another bridge. */
  private async renew(): Promise<Watch["whep"] | null> {
    try {
      const watch = await this.requestWatch();
      if (watch.epoch !== this.watch?.epoch) {
        void this.open();
        return null;
      }
      this.watch = watch;
      this.peer?.refresh(watch.whep);
      return watch.whep;
    } catch {
      return null;
    }
  }

  private onEvent(event: ServerEvent): void {
    if (event.type !== "watch" || event.lesson !== this.lesson || event.view !== this.view) return;
    if (this.watch !== null && event.epoch !== this.watch.epoch) {
      void this.open(); // the lesson has moved to another bridge
      return;
    }
    this.latestSlots = event.slots;
    this.update();
  }

  private update(): void {
    const { peer } = this;
    this.state = peer?.state ?? "stopped";
    this.tracks = new Map(peer?.rendered?.tracks ?? []);
    if (peer?.hasPrevious !== true) this.slots = this.latestSlots; // a previous connection still carries what it did
    if (peer?.state === "connected" && peer.peer !== this.layoutSentTo) {
      this.layoutSentTo = peer.peer;
      this.updateLayout();
      this.layout.resend();
    }
  }

  /** The page shows all rooms small, and none while it is hidden. */
  private readonly updateLayout = (): void => {
    const mids = [...(this.peer?.peer?.tracks ?? [])].filter(([, track]) => track.kind === "video").map(([mid]) => mid);
    const seen = mids.length > FEW ? SMALL_HEIGHT : FEW_HEIGHT;
    const height = document.visibilityState === "visible" ? seen : 0;
    this.layout.set(Object.fromEntries(mids.map((mid) => [mid, height])));
  };

  private async putLayout(heights: Heights): Promise<void> {
    const player = this.peer?.peer;
    if (player == null || this.watch === null) throw new SignalingError(0);
    try {
      await player.layout(this.watch.whep, heights);
    } catch (error) {
      if (!(error instanceof SignalingError && error.status === 401)) throw error;
      const grant = await this.renew(); // the token expired while the machine slept
      if (grant === null) throw new SignalingError(0);
      await player.layout(grant, heights);
    }
  }
}
