// The room's own camera and microphone during a call. They are opened again after they were unplugged or failed. A muted
// microphone sends silence; a camera that is off is closed, so that its light goes off.

import type { Camera } from "../../api/types";
import type { Capture } from "./userMedia";

export interface CaptureSource {
  /** Opens all devices, or with `kept` those that it lacks or that are not the chosen ones. As `openCapture`. */
  open(kept: MediaStream | null, secondCamera: boolean, picture: boolean): Promise<Capture>;
  /** The audio of `stream` alone; null: it has none. */
  withoutPicture(stream: MediaStream): MediaStream | null;
  /** The audio of `stream` with the picture of the second camera or the first; null: the camera cannot be opened. */
  switchCamera(stream: MediaStream, secondCamera: boolean): Promise<MediaStream | null>;
  /** Stops all tracks of `stream` but those that are also in `kept`. */
  close(stream: MediaStream, kept?: MediaStream): void;
}

const RETRY_MS = 10_000;
const CLOSED: Capture = { stream: null, camera: "unknown" };

const videoTrackOf = (stream: MediaStream | null): MediaStreamTrack | undefined => stream?.getVideoTracks()[0];
const hasAudio = (stream: MediaStream | null): boolean => stream !== null && stream.getAudioTracks().length > 0;

export class OwnCapture {
  /** Whether the room sends its second camera. */
  secondCamera = false;
  /** Whether the last switch of cameras failed. */
  switchFailed = false;
  private capture = CLOSED;
  private started = false;
  private muted = false;
  private cameraOff = false;
  private opening = false;
  /** What to open after the opening that is under way. */
  private nextOpen: "none" | "missing" | "all" = "none";
  private retryTimer: ReturnType<typeof setTimeout> | undefined;

  /** `onStream`: the stream to send has changed; the one before is closed afterwards. `changed`: anything has changed. */
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

  /** Sets what the room sends. */
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

  /** Devices were plugged in or unplugged, or `chosen` by a person. */
  devicesChanged(chosen: boolean): void {
    if (this.started) void this.open(chosen ? "all" : "missing");
  }

  /** Sends the second camera, or the first again. The audio goes on. */
  async useCamera(secondCamera: boolean): Promise<void> {
    const { stream } = this;
    if (this.opening || this.cameraOff || stream === null || secondCamera === this.secondCamera) return;
    this.opening = true;
    const switched = await this.source.switchCamera(stream, secondCamera);
    this.opening = false;
    if (this.stream !== stream) {
      // The call ended or the camera was turned off while the camera opened.
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

  /** `missing`: what is missing or not the chosen device. */
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
      // The call ended, or the camera was turned off or on, while the camera opened.
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
