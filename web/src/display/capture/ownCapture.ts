// The room's own picture and sound: opened for a lesson, opened again when unplugged, from one of two cameras. What the
// class keeps to itself is not sent: its microphone gives silence, its camera is closed and its light goes off.

import type { Camera } from "../../api/types";
import type { Capture } from "./userMedia";

export interface CaptureSource {
  /** Everything, or what `kept` lacks and what of it is not as it should be; `kept` itself: there is nothing else.
   *
   * `picture`: a camera is wanted.
   */
  open(kept: MediaStream | null, secondCamera: boolean, picture: boolean): Promise<Capture>;
  /** `stream`'s sound without its picture; null: there is none. */
  withoutPicture(stream: MediaStream): MediaStream | null;
  /** `stream`'s sound with the picture of the second camera or the first; null: not to be had. */
  switchCamera(stream: MediaStream, secondCamera: boolean): Promise<MediaStream | null>;
  /** `kept`: goes on, with what it has of `stream`. */
  close(stream: MediaStream, kept?: MediaStream): void;
}

const RETRY_MS = 10_000;
const CLOSED: Capture = { stream: null, camera: "unknown" };

const videoTrackOf = (stream: MediaStream | null): MediaStreamTrack | undefined => stream?.getVideoTracks()[0];
const hasAudio = (stream: MediaStream | null): boolean => stream !== null && stream.getAudioTracks().length > 0;

export class OwnCapture {
  /** The room's second camera is what the others see of it. */
  secondCamera = false;
  /** The camera that was asked for last could not be opened. */
  switchFailed = false;
  private capture = CLOSED;
  private started = false;
  private muted = false;
  private cameraOff = false;
  private opening = false;
  /** What is to be opened after what is being opened. */
  private nextOpen: "none" | "missing" | "all" = "none";
  private retryTimer: ReturnType<typeof setTimeout> | undefined;

  /** `onStream`: there is something else to send; what was sent before is closed afterwards. `changed`: anything is new. */
  constructor(
    private readonly source: CaptureSource,
    private readonly onStream: (stream: MediaStream | null) => void,
    private readonly changed: () => void,
  ) {}

  get stream(): MediaStream | null {
    return this.capture.stream;
  }

  get camera(): Camera {
    return this.capture.camera;
  }

  start(): void {
    this.started = true;
    if (this.stream === null) void this.open();
  }

  stop(): void {
    this.started = this.muted = this.cameraOff = false;
    this.nextOpen = "none";
    clearTimeout(this.retryTimer);
    const { stream } = this;
    this.capture = CLOSED;
    this.secondCamera = false;
    this.switchFailed = false;
    if (stream === null) return;
    for (const track of stream.getTracks()) track.onended = null;
    this.source.close(stream);
  }

  /** Whether the others are to hear and see the room. */
  setSending({ muted, cameraOff }: { muted: boolean; cameraOff: boolean }): void {
    this.muted = muted;
    this.applyMute();
    if (cameraOff === this.cameraOff) return;
    this.cameraOff = cameraOff;
    if (!this.started) return;
    const { stream } = this;
    if (!cameraOff) {
      void this.open();
    } else if (stream !== null && videoTrackOf(stream) !== undefined) {
      this.secondCamera = false;
      this.setCapture({ stream: this.source.withoutPicture(stream), camera: "unknown" });
      this.changed();
    }
  }

  /** Cameras or microphones were plugged or unplugged, or others were chosen. */
  devicesChanged(chosen: boolean): void {
    if (this.started) void this.open(chosen ? "all" : "missing");
  }

  /** Let the others see the second camera, or the first again. The sound goes on as it is. */
  async useCamera(secondCamera: boolean): Promise<void> {
    const { stream } = this;
    if (this.opening || this.cameraOff || stream === null || secondCamera === this.secondCamera) return;
    this.opening = true;
    const switched = await this.source.switchCamera(stream, secondCamera);
    this.opening = false;
    if (this.stream !== stream) {
      // The lesson ended, or the camera was to be closed, while it was opening.
      if (switched !== null) this.source.close(switched, this.stream ?? undefined);
    } else if (switched === null) {
      this.switchFailed = true;
    } else {
      this.secondCamera = secondCamera;
      this.switchFailed = false;
      this.setCapture({ stream: switched, camera: "ok" });
    }
    this.openNext();
  }

  /** `rest`: what is missing, or is not what was chosen. */
  private async open(what: "missing" | "all" = "missing"): Promise<void> {
    if (this.opening) {
      if (this.nextOpen !== "all") this.nextOpen = what;
      return;
    }
    this.opening = true;
    clearTimeout(this.retryTimer);
    const { stream } = this;
    const { cameraOff } = this;
    const capture = await this.source.open(what === "all" ? null : stream, this.secondCamera, !cameraOff);
    this.opening = false;
    if (!this.started || this.stream !== stream || cameraOff !== this.cameraOff) {
      // The lesson ended while the camera was opening, or the camera was to be closed or opened.
      if (capture.stream !== null && capture.stream !== this.stream) this.source.close(capture.stream, this.stream ?? undefined);
      if (this.started) this.nextOpen = "missing";
    } else {
      if (videoTrackOf(capture.stream) !== videoTrackOf(stream)) {
        this.secondCamera = false;
        this.switchFailed = false;
      }
      this.setCapture(capture);
      const complete = hasAudio(capture.stream) && (cameraOff || videoTrackOf(capture.stream) !== undefined);
      if (!complete) this.retryTimer = setTimeout(() => void this.open(), RETRY_MS);
    }
    this.openNext();
  }

  private openNext(): void {
    const { nextOpen } = this;
    this.nextOpen = "none";
    if (this.started && nextOpen !== "none") void this.open(nextOpen);
    this.changed();
  }

  private setCapture(capture: Capture): void {
    const old = this.stream;
    this.capture = capture;
    if (capture.stream === old && old !== null) return;
    this.applyMute();
    for (const track of capture.stream?.getTracks() ?? []) track.onended = () => this.trackEnded(track);
    this.onStream(capture.stream);
    if (old !== null) this.source.close(old, capture.stream ?? undefined);
  }

  private applyMute(): void {
    for (const track of this.stream?.getAudioTracks() ?? []) track.enabled = !this.muted;
  }

  private trackEnded(track: MediaStreamTrack): void {
    if (this.stream?.getTracks().includes(track) !== true) return;
    if (track.kind === "video") this.capture = { stream: this.stream, camera: "missing" };
    this.changed();
    void this.open();
  }
}
