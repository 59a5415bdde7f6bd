// The room's own picture and sound: opened for a lesson, opened again when unplugged, from one of two cameras. What the
// class keeps to itself is not sent: its microphone gives silence, its camera is closed and its light goes off.

import type { Camera } from "../../api/types";
import type { Capture } from "./userMedia";

export interface CaptureSource {
  /** Everything, or what `kept` lacks and what of it is not as it should be; `kept` itself: there is nothing else.
   *
   * `picture`: a camera is wanted.
   */
  open(kept: MediaStream | null, second: boolean, picture: boolean): Promise<Capture>;
  /** `stream`'s sound without its picture; null: there is none. */
  withoutPicture(stream: MediaStream): MediaStream | null;
  /** `stream`'s sound with the picture of the second camera or the first; null: not to be had. */
  switchCamera(stream: MediaStream, second: boolean): Promise<MediaStream | null>;
  /** `kept`: goes on, with what it has of `stream`. */
  close(stream: MediaStream, kept?: MediaStream): void;
}

const RETRY_MS = 10_000;
const CLOSED: Capture = { stream: null, camera: "unknown" };

const pictureOf = (stream: MediaStream | null): MediaStreamTrack | undefined => stream?.getVideoTracks()[0];
const hears = (stream: MediaStream | null): boolean => stream !== null && stream.getAudioTracks().length > 0;

export class Own {
  /** The room's second camera is what the others see of it. */
  second = false;
  /** The camera that was asked for last could not be opened. */
  notSwitched = false;
  private capture = CLOSED;
  private wanted = false;
  private muted = false;
  private dark = false;
  private opening = false;
  /** What is to be opened after what is being opened. */
  private next: "nothing" | "rest" | "all" = "nothing";
  private retry: ReturnType<typeof setTimeout> | undefined;

  /** `taken`: there is something else to send; what was sent before is closed afterwards. `changed`: anything is new. */
  constructor(
    private readonly parts: CaptureSource,
    private readonly taken: (stream: MediaStream | null) => void,
    private readonly changed: () => void,
  ) {}

  get stream(): MediaStream | null {
    return this.capture.stream;
  }

  get camera(): Camera {
    return this.capture.camera;
  }

  start(): void {
    this.wanted = true;
    if (this.stream === null) void this.open();
  }

  stop(): void {
    this.wanted = this.muted = this.dark = false;
    this.next = "nothing";
    clearTimeout(this.retry);
    const { stream } = this;
    this.capture = CLOSED;
    this.second = false;
    this.notSwitched = false;
    if (stream === null) return;
    for (const track of stream.getTracks()) track.onended = null;
    this.parts.close(stream);
  }

  /** Whether the others are to hear and see the room. */
  keep({ muted, dark }: { muted: boolean; dark: boolean }): void {
    this.muted = muted;
    this.silence();
    if (dark === this.dark) return;
    this.dark = dark;
    if (!this.wanted) return;
    const { stream } = this;
    if (!dark) {
      void this.open();
    } else if (stream !== null && pictureOf(stream) !== undefined) {
      this.second = false;
      this.take({ stream: this.parts.withoutPicture(stream), camera: "unknown" });
      this.changed();
    }
  }

  /** Cameras or microphones were plugged or unplugged, or others were chosen. */
  devicesChanged(chosen: boolean): void {
    if (this.wanted) void this.open(chosen ? "all" : "rest");
  }

  /** Let the others see the second camera, or the first again. The sound goes on as it is. */
  async use(second: boolean): Promise<void> {
    const { stream } = this;
    if (this.opening || this.dark || stream === null || second === this.second) return;
    this.opening = true;
    const switched = await this.parts.switchCamera(stream, second);
    this.opening = false;
    if (this.stream !== stream) {
      // The lesson ended, or the camera was to be closed, while it was opening.
      if (switched !== null) this.parts.close(switched, this.stream ?? undefined);
    } else if (switched === null) {
      this.notSwitched = true;
    } else {
      this.second = second;
      this.notSwitched = false;
      this.take({ stream: switched, camera: "ok" });
    }
    this.goOn();
  }

  /** `rest`: what is missing, or is not what was chosen. */
  private async open(what: "rest" | "all" = "rest"): Promise<void> {
    if (this.opening) {
      if (this.next !== "all") this.next = what;
      return;
    }
    this.opening = true;
    clearTimeout(this.retry);
    const { stream } = this;
    const { dark } = this;
    const capture = await this.parts.open(what === "all" ? null : stream, this.second, !dark);
    this.opening = false;
    if (!this.wanted || this.stream !== stream || dark !== this.dark) {
      // The lesson ended while the camera was opening, or the camera was to be closed or opened.
      if (capture.stream !== null && capture.stream !== this.stream) this.parts.close(capture.stream, this.stream ?? undefined);
      if (this.wanted) this.next = "rest";
    } else {
      if (pictureOf(capture.stream) !== pictureOf(stream)) {
        this.second = false;
        this.notSwitched = false;
      }
      this.take(capture);
      const whole = hears(capture.stream) && (dark || pictureOf(capture.stream) !== undefined);
      if (!whole) this.retry = setTimeout(() => void this.open(), RETRY_MS);
    }
    this.goOn();
  }

  private goOn(): void {
    const { next } = this;
    this.next = "nothing";
    if (this.wanted && next !== "nothing") void this.open(next);
    this.changed();
  }

  private take(capture: Capture): void {
    const old = this.stream;
    this.capture = capture;
    if (capture.stream === old && old !== null) return;
    this.silence();
    for (const track of capture.stream?.getTracks() ?? []) track.onended = () => this.ended(track);
    this.taken(capture.stream);
    if (old !== null) this.parts.close(old, capture.stream ?? undefined);
  }

  private silence(): void {
    for (const track of this.stream?.getAudioTracks() ?? []) track.enabled = !this.muted;
  }

  private ended(track: MediaStreamTrack): void {
    if (this.stream?.getTracks().includes(track) !== true) return;
    if (track.kind === "video") this.capture = { stream: this.stream, camera: "missing" };
    this.changed();
    void this.open();
  }
}
