// A room's call: publishes its camera and microphone, plays the other rooms, keeps both connections up, and reports.
// Neither Svelte nor DOM: the browser's part comes through `CallDependencies`.

import type { Camera, DisplayCall, DisplayReport, Grant, Received } from "../../api/types";
import { type Heights, LayoutSender } from "../../webrtc/layoutSender";
import type { PlayerPeer } from "../../webrtc/player";
import type { PublisherPeer } from "../../webrtc/publisher";
import { ReconnectingPeer } from "../../webrtc/reconnectingPeer";
import { EMPTY_SAMPLE, type Sample, total } from "../../webrtc/statsSample";
import { SignalingError } from "../../webrtc/whip";
import { type CaptureSource, OwnCapture } from "../capture/ownCapture";
import { CallMetrics } from "./callMetrics";
import { limitsOf, NO_LIMITS, type ReceiveLimits } from "./cpuAdaptation";
import { StallDetector } from "./stallDetector";

export interface CallDependencies extends CaptureSource {
  player(video: number, audio: number): PlayerPeer;
  publisher(): PublisherPeer;
  /** CPU cores of this machine. */
  cores: number;
}

export type CallPhase = "idle" | "joining" | "joined" | "reconnecting";

/** What a screen needs to show the call; a new object at each change. */
export interface CallState {
  phase: CallPhase;
  call: DisplayCall | null;
  camera: Camera;
  publishing: boolean;
  ownStream: MediaStream | null;
  /** Whether the room sends its second camera. */
  secondCamera: boolean;
  /** Whether the last switch of cameras failed. */
  switchFailed: boolean;
  /** Tracks by mid, of the receive connection that is rendered now; `received`: what they carry. */
  tracks: ReadonlyMap<string, MediaStreamTrack>;
  received: Received;
  playing: number;
  weak: boolean;
  /** The most that this machine requests. */
  limits: ReceiveLimits;
}

const NOTHING_RECEIVED: Received = { slots: {}, flows: {}, slides: [] };

export const NO_CALL: CallState = {
  phase: "idle",
  call: null,
  camera: "unknown",
  publishing: false,
  ownStream: null,
  secondCamera: false,
  switchFailed: false,
  tracks: new Map(),
  received: NOTHING_RECEIVED,
  playing: 0,
  weak: false,
  limits: NO_LIMITS,
};

const SAMPLE_EVERY_MS = 1_000;
/** For the publisher, too: the other rooms also have to switch, some over slow links. */
const OVERLAP_MS = 3_000;
const ABANDONED_MS = 30_000;

const bridgeKey = (call: DisplayCall | null): string => (call === null ? "" : `${call.lesson} ${call.epoch}`);

export class CallClient {
  private call: DisplayCall | null = null;
  private player: ReconnectingPeer<PlayerPeer> | null = null;
  private publisher: ReconnectingPeer<PublisherPeer> | null = null;
  private sampleTimer: ReturnType<typeof setInterval> | undefined;
  private controllerLostAt: number | null = null;
  private previousReceived: Received | null = null; // what the previous connection carries, from an earlier epoch
  private switchTimer: ReturnType<typeof setTimeout> | undefined; // set while the switch to another bridge waits for its moment
  private layoutSentTo: PlayerPeer | null = null; // the connection that knows the slots' heights
  private readonly stallDetector = new StallDetector();
  private readonly metrics: CallMetrics;
  private readonly layout: LayoutSender;
  private readonly capture: OwnCapture;

  constructor(
    private readonly dependencies: CallDependencies,
    private readonly changed: (state: CallState) => void,
  ) {
    this.metrics = new CallMetrics(dependencies.cores);
    this.layout = new LayoutSender((heights) => this.putLayout(heights));
    this.capture = new OwnCapture(
      dependencies,
      (stream) => this.send(stream),
      () => this.notify(),
    );
  }

  /** Follows the server's call. The same lesson and epoch again brings only newer tokens, slots and layers. */
  setCall(call: DisplayCall | null): void {
    this.controllerLostAt = null;
    const before = this.call;
    if (bridgeKey(before) === bridgeKey(call)) {
      this.call = call;
      if (call !== null) {
        this.applySending(call);
        this.player?.refresh(call.whep);
        this.publisher?.refresh(call.whip);
        this.followLayers();
      }
    } else if (before !== null && call !== null && before.lesson === call.lesson) {
      this.applySending(call);
      this.moveToBridge(before, call);
    } else {
      this.disconnect();
      this.capture.stop();
      this.call = call;
      if (call !== null) {
        this.applySending(call);
        this.join();
      }
    }
    this.notify();
  }

  /** `heights`: at which each slot is shown, in device pixels by mid. */
  setSlotHeights(heights: Heights): void {
    this.layout.set(heights);
  }

  /** The controller cannot be reached. The call goes on unless the bridge is lost too: then nobody watches. */
  controllerLost(): void {
    this.controllerLostAt ??= performance.now();
  }

  /** The page is closing: leaves with requests that outlive it. */
  leave(): void {
    this.disconnect(true);
    this.capture.stop();
    this.call = null;
  }

  /** Devices were plugged in or unplugged, or `chosen` by a person. */
  captureChanged(chosen = false): void {
    this.capture.devicesChanged(chosen);
  }

  /** Sends the second camera, or the first again. The audio goes on. */
  useCamera(secondCamera: boolean): Promise<void> {
    return this.capture.useCamera(secondCamera);
  }

  state(): CallState {
    return {
      phase: this.phase,
      call: this.call,
      camera: this.capture.camera,
      publishing: this.publishing,
      ownStream: this.capture.stream,
      secondCamera: this.capture.secondCamera,
      switchFailed: this.capture.switchFailed,
      tracks: this.player?.rendered?.tracks ?? new Map<string, MediaStreamTrack>(),
      received: this.previousReceived ?? this.call ?? NOTHING_RECEIVED,
      playing: this.metrics.playing,
      weak: this.metrics.weak,
      limits: limitsOf(this.metrics.adaptation),
    };
  }

  report(): DisplayReport {
    return {
      type: "report",
      joined: this.phase === "joined",
      camera: this.capture.camera,
      publishing: this.publishing,
      ...this.metrics.report(),
    };
  }

  /** The raw counters of both connections, for tests and technicians. */
  async samples(): Promise<{ play: Sample; publish: Sample }> {
    const [play, publish] = await Promise.all([
      this.player?.peer?.sample() ?? EMPTY_SAMPLE,
      this.publisher?.peer?.sample() ?? EMPTY_SAMPLE,
    ]);
    return { play, publish };
  }

  get connectionStates(): { play: string; publish: string } {
    return { play: this.player?.state ?? "stopped", publish: this.publisher?.state ?? "stopped" };
  }

  private get publishing(): boolean {
    return this.publisher?.state === "connected" && this.capture.stream !== null;
  }

  private get phase(): CallPhase {
    if (this.call === null || this.player === null) return "idle";
    const needed = this.publisher === null ? [this.player.state] : [this.player.state, this.publisher.state];
    if (needed.every((state) => state === "connected")) return "joined";
    return needed.includes("disconnected") ? "reconnecting" : "joining";
  }

  private applySending(call: DisplayCall): void {
    this.capture.setSending({ muted: call.muted, cameraOff: call.camera_off });
  }

  private join(): void {
    // All three at once: neither connection waits for the camera to open.
    this.player = new ReconnectingPeer(
      () => this.newPlayer(),
      () => this.call?.whep ?? null,
      () => this.playerChanged(),
      OVERLAP_MS,
      (sample) => this.showsAsMuch(sample),
    );
    this.player.start();
    this.publish();
    this.capture.start();
    this.sampleTimer = setInterval(() => void this.takeSample(), SAMPLE_EVERY_MS);
  }

  private publish(): void {
    this.publisher = new ReconnectingPeer(
      () => {
        const peer = this.dependencies.publisher();
        if (this.capture.stream !== null) void peer.send(this.capture.stream);
        return peer;
      },
      (): Grant | null => this.call?.whip ?? null,
      () => this.publisherChanged(),
      OVERLAP_MS,
    );
    this.publisher.start();
  }

  /** The lesson moves to another bridge. The camera stays open, and the old pictures stay until the new ones come.
   *
   * Where the old bridge goes on, each display switches at a random moment: a connection costs displays and bridges more in
   * its first second than in minutes after.
   */
  private moveToBridge(before: DisplayCall, call: DisplayCall): void {
    this.previousReceived ??= before;
    this.call = call;
    if (call.spread_ms > 0 && this.player?.state === "connected") this.switchBridgeIn(Math.random() * call.spread_ms);
    else this.switchBridge();
  }

  private switchBridgeIn(ms: number): void {
    clearTimeout(this.switchTimer);
    this.switchTimer = setTimeout(() => this.switchBridge(), ms);
  }

  private switchBridge(): void {
    clearTimeout(this.switchTimer);
    this.switchTimer = undefined;
    this.player?.renew();
    this.publisher?.renew();
    if (this.player?.hasPrevious !== true) this.previousReceived = null;
    this.notify();
  }

  /** Whether a new connection can replace the previous one: where that still plays, once as many pictures move. */
  private showsAsMuch({ framesDecoded }: Sample): boolean {
    const seen = Object.values(framesDecoded).filter((frames) => frames > 0).length;
    if (this.previousReceived === null || this.call?.spread_ms === 0) return seen > 0;
    const { slots, flows } = this.previousReceived;
    const before = [...(this.player?.rendered?.tracks ?? [])].filter(
      ([mid, track]) => track.kind === "video" && (slots[mid] ?? null) !== null && flows[mid] === "live",
    );
    return seen > 0 && seen >= before.length;
  }

  private newPlayer(): PlayerPeer {
    this.metrics.startConnection();
    return this.dependencies.player(this.call?.video ?? 1, this.call?.audio ?? 1);
  }

  private playerChanged(): void {
    const { player } = this;
    if (this.switchTimer !== undefined) {
      if (player?.state !== "connected") this.switchBridgeIn(0); // the old bridge is lost
    } else if (player?.hasPrevious !== true) {
      this.previousReceived = null;
    }
    if (player?.state === "connected" && player.peer !== this.layoutSentTo) {
      this.layoutSentTo = player.peer;
      this.layout.resend();
    }
    this.notify();
  }

  private publisherChanged(): void {
    if (this.publisher?.state === "connected") this.followLayers();
    this.notify();
  }

  /** `layers` are the new bridge's: they do not apply to a connection with the old one. */
  private followLayers(): void {
    if (this.call !== null && this.switchTimer === undefined) void this.publisher?.peer?.setLayers(this.call.layers);
  }

  private async putLayout(heights: Heights): Promise<void> {
    const { player, call } = this;
    if (player?.peer == null || call === null) throw new SignalingError(0);
    await player.peer.layout(call.whep, heights);
  }

  /** Sends this stream from now on; null: the room only watches. */
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
    clearInterval(this.sampleTimer);
    clearTimeout(this.switchTimer);
    this.switchTimer = undefined;
    this.publisher?.stop(leaving);
    this.player?.stop(leaving);
    this.publisher = null;
    this.player = null;
    this.previousReceived = null;
    this.layoutSentTo = null;
    this.layout.stop();
    this.metrics.reset();
    this.stallDetector.reset();
  }

  private async takeSample(): Promise<void> {
    const player = this.player;
    const peer = player?.peer ?? null;
    if (player === null || this.abandoned(player)) return;
    const [play, publish] = await Promise.all([connectedSample(player), this.publisher === null ? null : connectedSample(this.publisher)]);
    if (this.player !== player || player.peer !== peer) return;
    this.metrics.addSample(performance.now(), play, publish, this.call?.flows ?? {});
    if (play !== null) {
      const expected = Object.keys(play.framesDecoded).some((mid) => this.expectsFrames(mid));
      if (this.stallDetector.update(performance.now(), total(play.framesDecoded), expected)) player.renew();
    }
    this.notify();
  }

  /** Whether this slot must receive frames: it carries a room, neither still nor paused. */
  private expectsFrames(mid: string): boolean {
    const flow = this.call?.flows[mid] ?? "live";
    return (this.call?.slots[mid] ?? null) !== null && flow === "live";
  }

  /** Whether controller and bridge were both lost for a while: nobody can tell that the lesson goes on, so the camera closes. */
  private abandoned(player: ReconnectingPeer<PlayerPeer>): boolean {
    if (this.controllerLostAt === null || player.state === "connected") return false;
    if (performance.now() - this.controllerLostAt < ABANDONED_MS) return false;
    this.setCall(null);
    return true;
  }

  private notify(): void {
    this.changed(this.state());
  }
}

/** Null while the connection is not up. */
async function connectedSample(connection: ReconnectingPeer<PlayerPeer> | ReconnectingPeer<PublisherPeer>): Promise<Sample | null> {
  if (connection.peer === null || connection.state !== "connected") return null;
  return connection.peer.sample().catch(() => null);
}
