// A room's part in a live lesson: publish camera and microphone, play the other rooms, keep both up, and say how it goes.
// No Svelte and no DOM here; what touches the browser comes through `CallParts`.

import type { Camera, CallOrder, DisplayReport, Grant, Slots } from "../api/types";
import { LastingPeer } from "../webrtc/lasting";
import type { PlayerPeer } from "../webrtc/player";
import type { PublisherPeer } from "../webrtc/publisher";
import { EMPTY_SAMPLE, isWeak, type Sample, total } from "../webrtc/sample";
import type { Capture } from "./camera";
import { Stall } from "./stall";

export interface CallParts {
  player(video: number, audio: number): PlayerPeer;
  publisher(): PublisherPeer;
  open(): Promise<Capture>;
  close(stream: MediaStream): void;
}

export type CallPhase = "idle" | "joining" | "joined" | "unsteady";

/** Everything a screen needs to show the call; a new object at each change. */
export interface CallView {
  phase: CallPhase;
  order: CallOrder | null;
  camera: Camera;
  publishing: boolean;
  own: MediaStream | null;
  /** Tracks of the present receive connection by mid. */
  tracks: ReadonlyMap<string, MediaStreamTrack>;
  slots: Slots;
  playing: number;
  weak: boolean;
}

const SAMPLE_EVERY_MS = 1_000;
const CAMERA_RETRY_MS = 10_000;
const ABANDONED_MS = 30_000;

const keyOf = (order: CallOrder | null): string => (order === null ? "" : `${order.lesson} ${order.epoch}`);

export class Call {
  private order: CallOrder | null = null;
  private player: LastingPeer<PlayerPeer> | null = null;
  private publisher: LastingPeer<PublisherPeer> | null = null;
  private capture: Capture = { stream: null, camera: "unknown" };
  private opening = false;
  private sampler: ReturnType<typeof setInterval> | undefined;
  private cameraRetry: ReturnType<typeof setTimeout> | undefined;
  private before: Sample = EMPTY_SAMPLE;
  private now: Sample = EMPTY_SAMPLE;
  private framesOfEarlierPeers = 0;
  private energyOfEarlierPeers = 0;
  private playing = 0;
  private weak = false;
  private controllerLostAt: number | null = null;
  private readonly stall = new Stall();

  constructor(
    private readonly parts: CallParts,
    private readonly changed: (view: CallView) => void,
  ) {}

  /** What the controller wants at present. The same lesson and epoch again only brings newer tokens and slots. */
  want(order: CallOrder | null): void {
    this.controllerLostAt = null;
    const before = this.order;
    if (keyOf(before) === keyOf(order)) {
      this.order = order;
      if (order !== null) {
        this.player?.refresh(order.whep);
        this.publisher?.refresh(order.whip);
      }
      this.tell();
      return;
    }
    this.disconnect();
    // A new epoch of the same lesson keeps the camera open: only the bridge is another one.
    if (before?.lesson !== order?.lesson) this.closeCamera();
    this.order = order;
    if (order !== null) this.join(order);
    this.tell();
  }

  /** The controller is out of reach. The lesson goes on, unless the bridge is lost too: then nobody is watching. */
  controllerLost(): void {
    this.controllerLostAt ??= performance.now();
  }

  /** The page goes away: say so with requests that outlive it. */
  leave(): void {
    this.disconnect(true);
    this.closeCamera();
    this.order = null;
  }

  /** Cameras or microphones were plugged or unplugged, or others were chosen. */
  captureChanged(chosen = false): void {
    if (this.order === null) return;
    if (chosen || this.capture.camera !== "ok") void this.openCamera();
  }

  view(): CallView {
    return {
      phase: this.phase,
      order: this.order,
      camera: this.capture.camera,
      publishing: this.publishing,
      own: this.capture.stream,
      tracks: this.player?.peer?.tracks ?? new Map<string, MediaStreamTrack>(),
      slots: this.order?.slots ?? {},
      playing: this.playing,
      weak: this.weak,
    };
  }

  report(): DisplayReport {
    return {
      type: "report",
      joined: this.phase === "joined",
      camera: this.capture.camera,
      publishing: this.publishing,
      playing: this.playing,
      frames_decoded: this.framesOfEarlierPeers + total(this.now.framesDecoded),
      audio_energy: this.energyOfEarlierPeers + total(this.now.audioEnergy),
      weak: this.weak,
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
    return this.publisher?.state === "connected" && this.capture.stream !== null;
  }

  private get phase(): CallPhase {
    if (this.order === null || this.player === null) return "idle";
    const needed = this.publisher === null ? [this.player.state] : [this.player.state, this.publisher.state];
    if (needed.every((state) => state === "connected")) return "joined";
    return needed.includes("unsteady") ? "unsteady" : "joining";
  }

  private join(order: CallOrder): void {
    // All three at once: neither the picture of the others nor our own connection waits for the camera to open.
    this.player = new LastingPeer(
      () => this.newPlayer(order),
      () => this.order?.whep ?? null,
      () => this.tell(),
    );
    this.player.start();
    this.publish();
    if (this.capture.stream === null) void this.openCamera();
    this.sampler = setInterval(() => void this.observe(), SAMPLE_EVERY_MS);
  }

  private publish(): void {
    this.publisher = new LastingPeer(
      () => {
        const peer = this.parts.publisher();
        if (this.capture.stream !== null) void peer.send(this.capture.stream);
        return peer;
      },
      (): Grant | null => this.order?.whip ?? null,
      () => this.tell(),
    );
    this.publisher.start();
  }

  private newPlayer(order: CallOrder): PlayerPeer {
    this.framesOfEarlierPeers += total(this.now.framesDecoded);
    this.energyOfEarlierPeers += total(this.now.audioEnergy);
    this.before = this.now = EMPTY_SAMPLE;
    return this.parts.player(order.video, order.audio);
  }

  private async openCamera(): Promise<void> {
    if (this.opening) return;
    this.opening = true;
    clearTimeout(this.cameraRetry);
    const old = this.capture.stream;
    const capture = await this.parts.open();
    this.opening = false;
    if (this.order === null) {
      // The lesson ended while the camera was opening.
      if (capture.stream !== null) this.parts.close(capture.stream);
      return;
    }
    this.capture = capture;
    for (const track of capture.stream?.getTracks() ?? []) track.onended = () => this.captureEnded(capture);
    if (capture.stream === null) {
      // Nothing to send: take part by watching only.
      this.publisher?.stop();
      this.publisher = null;
    } else if (this.publisher === null) {
      this.publish();
    } else {
      void this.publisher.peer?.send(capture.stream);
    }
    if (old !== null) this.parts.close(old);
    // With a microphone alone we wait for something to be plugged in: trying again would cut the sound.
    if (capture.stream === null) this.cameraRetry = setTimeout(() => void this.openCamera(), CAMERA_RETRY_MS);
    this.tell();
  }

  private captureEnded(capture: Capture): void {
    if (this.capture !== capture) return;
    this.capture = { stream: capture.stream, camera: "missing" };
    this.tell();
    void this.openCamera();
  }

  private closeCamera(): void {
    clearTimeout(this.cameraRetry);
    const { stream } = this.capture;
    this.capture = { stream: null, camera: "unknown" };
    if (stream === null) return;
    for (const track of stream.getTracks()) track.onended = null;
    this.parts.close(stream);
  }

  private disconnect(leaving = false): void {
    clearInterval(this.sampler);
    this.publisher?.stop(leaving);
    this.player?.stop(leaving);
    this.publisher = null;
    this.player = null;
    this.before = this.now = EMPTY_SAMPLE;
    this.framesOfEarlierPeers = this.energyOfEarlierPeers = 0;
    this.playing = 0;
    this.weak = false;
    this.stall.reset();
  }

  private async observe(): Promise<void> {
    const player = this.player;
    const peer = player?.peer ?? null;
    if (player === null || this.abandoned(player)) return;
    const sample = peer === null || player.state !== "connected" ? null : await peer.sample().catch(() => null);
    if (this.player !== player || player.peer !== peer) return;
    if (sample === null) {
      this.playing = 0;
    } else {
      this.before = this.now;
      this.now = sample;
      this.playing = Object.entries(sample.framesDecoded).filter(
        ([mid, frames]) => frames > (this.before.framesDecoded[mid] ?? 0),
      ).length;
      this.weak = isWeak(this.before, sample);
      const expected = Object.keys(sample.framesDecoded).some((mid) => (this.order?.slots[mid] ?? null) !== null);
      if (this.stall.observe(performance.now(), total(sample.framesDecoded), expected)) player.renew();
    }
    this.tell();
  }

  /** Neither controller nor bridge for a while: the lesson is over as far as anyone can tell, so the camera goes off. */
  private abandoned(player: LastingPeer<PlayerPeer>): boolean {
    if (this.controllerLostAt === null || player.state === "connected") return false;
    if (performance.now() - this.controllerLostAt < ABANDONED_MS) return false;
    this.want(null);
    return true;
  }

  private tell(): void {
    this.changed(this.view());
  }
}
