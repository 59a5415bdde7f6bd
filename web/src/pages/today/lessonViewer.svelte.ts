// A person's own view of a live lesson: every room's picture and sound on the work page, received only.

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
const RENEW_EVERY_MS = 120_000; // a token is good for five minutes, and each change of the layout needs one
const FEW = 4; // pictures that may each be of middle size; of more all are small
const FEW_HEIGHT = 360;
const SMALL_HEIGHT = 180;

export class LessonViewer {
  state = $state<ReconnectingState>("stopped");
  refused = $state(false); // the person may not see pictures
  tracks = $state.raw<ReadonlyMap<string, MediaStreamTrack>>(new Map());
  slots = $state.raw<Slots>({});
  private peer: ReconnectingPeer<BrowserPlayer> | null = null;
  private watch: Watch | null = null;
  private unusedWatch: Watch | null = null; // its token has not been used yet
  private latestSlots: Slots = {};
  private layoutSentTo: BrowserPlayer | null = null; // the connection that has been told how large its pictures are
  private readonly layout = new LayoutSender((heights) => this.putLayout(heights));
  private stopListening: (() => void) | null = null;
  private retryTimer: ReturnType<typeof setTimeout> | undefined;
  private renewTimer: ReturnType<typeof setInterval> | undefined;
  private readonly view = crypto.randomUUID(); // names this one to the server: another window of the same login has its own

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
      // Gone, or not for this school any more: the page will hear of it. Anything else passes, as that its bridge is only being opened.
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

  /** The first attempt has its token already; tokens are short-lived, so each later one asks for its own. */
  private async grant(): Promise<Watch["whep"] | null> {
    const { unusedWatch } = this;
    this.unusedWatch = null;
    return unusedWatch !== null ? unusedWatch.whep : this.renew();
  }

  /** A younger token for the same connection; null: there is none now, or the lesson is on another bridge. */
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
    if (peer?.hasPrevious !== true) this.slots = this.latestSlots; // what is held carries what it carried
    if (peer?.state === "connected" && peer.peer !== this.layoutSentTo) {
      this.layoutSentTo = peer.peer;
      this.updateLayout();
      this.layout.resend();
    }
  }

  /** A teacher's page shows all rooms, each small. */
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
      const grant = await this.renew(); // the machine slept, and no timer ran
      if (grant === null) throw new SignalingError(0);
      await player.layout(grant, heights);
    }
  }
}
