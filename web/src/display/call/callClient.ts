// A room's part in a live lesson: publish camera and microphone, play the other rooms, keep both up, and say how it goes.
// No Svelte and no DOM here; what touches the browser comes through `CallDependencies`.

import type { Camera, DisplayCall, DisplayReport, Grant, Received } from "../../api/types";
import { type Heights, LayoutSender } from "../../webrtc/layoutSender";
import type { PlayerPeer } from "../../webrtc/player";
import type { PublisherPeer } from "../../webrtc/publisher";
import { ReconnectingPeer } from "../../webrtc/reconnectingPeer";
import { EMPTY_SAMPLE, type Sample, total } from "../../webrtc/statsSample";
import { SignalingError } from "../../webrtc/whip";
import { Own, type CaptureSource } from "../capture/ownCapture";
import { Health } from "./callMetrics";
import { type Caps, capsOf } from "./cpuAdaptation";
import { Stall } from "./stallDetector";

export interface CallDependencies extends CaptureSource {
  player(video: number, audio: number): PlayerPeer;
  publisher(): PublisherPeer;
  /** Processors of this machine. */
  cores: number;
}

export type CallPhase = "idle" | "joining" | "joined" | "reconnecting";

/** Everything a screen needs to show the call; a new object at each change. */
export interface CallState {
  phase: CallPhase;
  order: DisplayCall | null;
  camera: Camera;
  publishing: boolean;
  own: MediaStream | null;
  /** The room's second camera is what the others see of it. */
  second: boolean;
  /** The camera that was asked for last could not be opened. */
  notSwitched: boolean;
  /** Tracks by mid of the receive connection that is to be seen now, and what they carry. */
  tracks: ReadonlyMap<string, MediaStreamTrack>;
  received: Received;
  playing: number;
  weak: boolean;
  /** The most that this machine should be sent. */
  caps: Caps;
}

export const NOTHING_RECEIVED: Received = { slots: {}, flows: {}, slides: [] };

const SAMPLE_EVERY_MS = 1_000;
/** For the publisher, too: the others also have to go over, some of them over far links. */
const OVERLAP_MS = 3_000;
const ABANDONED_MS = 30_000;

const keyOf = (order: DisplayCall | null): string => (order === null ? "" : `${order.lesson} ${order.epoch}`);

export class Call {
  private order: DisplayCall | null = null;
  private player: ReconnectingPeer<PlayerPeer> | null = null;
  private publisher: ReconnectingPeer<PublisherPeer> | null = null;
  private sampler: ReturnType<typeof setInterval> | undefined;
  private controllerLostAt: number | null = null;
  private heldReceived: Received | null = null; // what the connection carries that is held from an earlier epoch
  private goingOver: ReturnType<typeof setTimeout> | undefined; // while it waits for its moment
  private toldOf: PlayerPeer | null = null; // the connection that has been told how large its slots are
  private readonly stall = new Stall();
  private readonly health: Health;
  private readonly layout: LayoutSender;
  private readonly own: Own;

  constructor(
    private readonly parts: CallDependencies,
    private readonly changed: (view: CallState) => void,
  ) {
    this.health = new Health(parts.cores);
    this.layout = new LayoutSender((heights) => this.putLayout(heights));
    this.own = new Own(
      parts,
      (stream) => this.send(stream),
      () => this.tell(),
    );
  }

  /** What the controller wants at present. The same lesson and epoch again only brings newer tokens, slots and layers. */
  want(order: DisplayCall | null): void {
    this.controllerLostAt = null;
    const before = this.order;
    if (keyOf(before) === keyOf(order)) {
      this.order = order;
      if (order !== null) {
        this.keep(order);
        this.player?.refresh(order.whep);
        this.publisher?.refresh(order.whip);
        this.followLayers();
      }
    } else if (before !== null && order !== null && before.lesson === order.lesson) {
      this.keep(order);
      this.moveOver(before, order);
    } else {
      this.disconnect();
      this.own.stop();
      this.order = order;
      if (order !== null) {
        this.keep(order);
        this.join();
      }
    }
    this.tell();
  }

  /** How large each slot is shown, in device pixels by mid. */
  show(heights: Heights): void {
    this.layout.set(heights);
  }

  /** The controller is out of reach. The lesson goes on, unless the bridge is lost too: then nobody is watching. */
  controllerLost(): void {
    this.controllerLostAt ??= performance.now();
  }

  /** The page goes away: say so with requests that outlive it. */
  leave(): void {
    this.disconnect(true);
    this.own.stop();
    this.order = null;
  }

  /** Cameras or microphones were plugged or unplugged, or others were chosen. */
  captureChanged(chosen = false): void {
    this.own.devicesChanged(chosen);
  }

  /** Let the others see the room's second camera, or the first again. The sound goes on as it is. */
  useCamera(second: boolean): Promise<void> {
    return this.own.use(second);
  }

  view(): CallState {
    return {
      phase: this.phase,
      order: this.order,
      camera: this.own.camera,
      publishing: this.publishing,
      own: this.own.stream,
      second: this.own.second,
      notSwitched: this.own.notSwitched,
      tracks: this.player?.rendered?.tracks ?? new Map<string, MediaStreamTrack>(),
      received: this.heldReceived ?? this.order ?? NOTHING_RECEIVED,
      playing: this.health.playing,
      weak: this.health.weak,
      caps: capsOf(this.health.effort),
    };
  }

  report(): DisplayReport {
    return {
      type: "report",
      joined: this.phase === "joined",
      camera: this.own.camera,
      publishing: this.publishing,
      ...this.health.report(),
    };
  }

  /** For tests and technicians: the raw counters of both connections. */
  async samples(): Promise<{ play: Sample; publish: Sample }> {
    const [play, publish] = await Promise.all([
      this.player?.peer?.sample() ?? EMPTY_SAMPLE,
      this.publisher?.peer?.sample() ?? EMPTY_SAMPLE,
    ]);
    return { play, publish };
  }

  get states(): { play: string; publish: string } {
    return { play: this.player?.state ?? "stopped", publish: this.publisher?.state ?? "stopped" };
  }

  private get publishing(): boolean {
    return this.publisher?.state === "connected" && this.own.stream !== null;
  }

  private get phase(): CallPhase {
    if (this.order === null || this.player === null) return "idle";
    const needed = this.publisher === null ? [this.player.state] : [this.player.state, this.publisher.state];
    if (needed.every((state) => state === "connected")) return "joined";
    return needed.includes("disconnected") ? "reconnecting" : "joining";
  }

  private keep(order: DisplayCall): void {
    this.own.keep({ muted: order.muted, dark: order.camera_off });
  }

  private join(): void {
    // All three at once: neither the picture of the others nor our own connection waits for the camera to open.
    this.player = new ReconnectingPeer(
      () => this.newPlayer(),
      () => this.order?.whep ?? null,
      () => this.playerChanged(),
      OVERLAP_MS,
      (sample) => this.seesEnough(sample),
    );
    this.player.start();
    this.publish();
    this.own.start();
    this.sampler = setInterval(() => void this.observe(), SAMPLE_EVERY_MS);
  }

  private publish(): void {
    this.publisher = new ReconnectingPeer(
      () => {
        const peer = this.parts.publisher();
        if (this.own.stream !== null) void peer.send(this.own.stream);
        return peer;
      },
      (): Grant | null => this.order?.whip ?? null,
      () => this.publisherChanged(),
      OVERLAP_MS,
    );
    this.publisher.start();
  }

  /** The lesson goes on at another bridge. The camera stays open, and what is to be seen is seen until that is.
   *
   * Where the bridge before goes on, not all displays begin at the same moment: every connection costs them and the
   * bridges more in its first second than in minutes after.
   */
  private moveOver(before: DisplayCall, order: DisplayCall): void {
    this.heldReceived ??= before;
    this.order = order;
    if (order.spread_ms > 0 && this.player?.state === "connected") this.goOverIn(Math.random() * order.spread_ms);
    else this.goOver();
  }

  private goOverIn(ms: number): void {
    clearTimeout(this.goingOver);
    this.goingOver = setTimeout(() => this.goOver(), ms);
  }

  private goOver(): void {
    clearTimeout(this.goingOver);
    this.goingOver = undefined;
    this.player?.renew();
    this.publisher?.renew();
    if (this.player?.hasPrevious !== true) this.heldReceived = null;
    this.tell();
  }

  /** Whether a new connection can take the place of the one before: where that goes on, once as many pictures move. */
  private seesEnough({ framesDecoded }: Sample): boolean {
    const seen = Object.values(framesDecoded).filter((frames) => frames > 0).length;
    if (this.heldReceived === null || this.order?.spread_ms === 0) return seen > 0;
    const { slots, flows } = this.heldReceived;
    const before = [...(this.player?.rendered?.tracks ?? [])].filter(
      ([mid, track]) => track.kind === "video" && (slots[mid] ?? null) !== null && flows[mid] === "live",
    );
    return seen > 0 && seen >= before.length;
  }

  private newPlayer(): PlayerPeer {
    this.health.connectedAnew();
    return this.parts.player(this.order?.video ?? 1, this.order?.audio ?? 1);
  }

  private playerChanged(): void {
    const { player } = this;
    if (this.goingOver !== undefined) {
      if (player?.state !== "connected") this.goOverIn(0); // nothing is left to wait for
    } else if (player?.hasPrevious !== true) {
      this.heldReceived = null;
    }
    if (player?.state === "connected" && player.peer !== this.toldOf) {
      this.toldOf = player.peer;
      this.layout.resend();
    }
    this.tell();
  }

  private publisherChanged(): void {
    if (this.publisher?.state === "connected") this.followLayers();
    this.tell();
  }

  /** What the order says of layers is the new bridge's word, and not for the one before. */
  private followLayers(): void {
    if (this.order !== null && this.goingOver === undefined) void this.publisher?.peer?.setLayers(this.order.layers);
  }

  private async putLayout(heights: Heights): Promise<void> {
    const { player, order } = this;
    if (player?.peer == null || order === null) throw new SignalingError(0);
    await player.peer.layout(order.whep, heights);
  }

  /** Send this from now on; null: take part by watching only. */
  private send(stream: MediaStream | null): void {
    if (stream === null) {
      this.publisher?.stop();
      this.publisher = null;
    } else if (this.publisher === null) {
      this.publish();
    } else {
      void this.publisher.peer?.send(stream);
    }
  }

  private disconnect(leaving = false): void {
    clearInterval(this.sampler);
    clearTimeout(this.goingOver);
    this.goingOver = undefined;
    this.publisher?.stop(leaving);
    this.player?.stop(leaving);
    this.publisher = null;
    this.player = null;
    this.heldReceived = null;
    this.toldOf = null;
    this.layout.stop();
    this.health.reset();
    this.stall.reset();
  }

  private async observe(): Promise<void> {
    const player = this.player;
    const peer = player?.peer ?? null;
    if (player === null || this.abandoned(player)) return;
    const [play, publish] = await Promise.all([sampleOf(player), this.publisher === null ? null : sampleOf(this.publisher)]);
    if (this.player !== player || player.peer !== peer) return;
    this.health.observe(performance.now(), play, publish, this.order?.flows ?? {});
    if (play !== null) {
      const expected = Object.keys(play.framesDecoded).some((mid) => this.shouldMove(mid));
      if (this.stall.observe(performance.now(), total(play.framesDecoded), expected)) player.renew();
    }
    this.tell();
  }

  /** Whether frames must come in this slot: it has a room, and the link takes more than a still picture of it. */
  private shouldMove(mid: string): boolean {
    const flow = this.order?.flows[mid] ?? "live";
    return (this.order?.slots[mid] ?? null) !== null && flow === "live";
  }

  /** Neither controller nor bridge for a while: the lesson is over as far as anyone can tell, so the camera goes off. */
  private abandoned(player: ReconnectingPeer<PlayerPeer>): boolean {
    if (this.controllerLostAt === null || player.state === "connected") return false;
    if (performance.now() - this.controllerLostAt < ABANDONED_MS) return false;
    this.want(null);
    return true;
  }

  private tell(): void {
    this.changed(this.view());
  }
}

/** null while there is no connection to ask. */
async function sampleOf(lasting: ReconnectingPeer<PlayerPeer> | ReconnectingPeer<PublisherPeer>): Promise<Sample | null> {
  if (lasting.peer === null || lasting.state !== "connected") return null;
  return lasting.peer.sample().catch(() => null);
}
