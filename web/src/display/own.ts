// The room's own picture and sound: opened for a lesson, opened again when unplugged, from one of two cameras.

import type { Camera } from "../api/types";
import type { Capture } from "./camera";

export interface OwnParts {
  open(): Promise<Capture>;
  /** `stream`'s sound with the picture of the second camera or the first; null: not to be had. */
  switchCamera(stream: MediaStream, second: boolean): Promise<MediaStream | null>;
  /** `kept`: goes on, with what it has of `stream`. */
  close(stream: MediaStream, kept?: MediaStream): void;
}

const RETRY_MS = 10_000;
const CLOSED: Capture = { stream: null, camera: "unknown" };

export class Own {
  /** The room's second camera is what the others see of it. */
  second = false;
  /** The camera that was asked for last could not be opened. */
  notSwitched = false;
  private capture = CLOSED;
  private wanted = false;
  private opening = false;
  private retry: ReturnType<typeof setTimeout> | undefined;

  /** `taken`: there is something else to send; what was sent before is closed afterwards. `changed`: anything is new. */
  constructor(
    private readonly parts: OwnParts,
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
    this.wanted = false;
    clearTimeout(this.retry);
    const { stream } = this;
    this.capture = CLOSED;
    this.second = false;
    this.notSwitched = false;
    if (stream === null) return;
    for (const track of stream.getTracks()) track.onended = null;
    this.parts.close(stream);
  }

  /** Cameras or microphones were plugged or unplugged, or others were chosen. */
  devicesChanged(chosen: boolean): void {
    if (this.wanted && (chosen || this.camera !== "ok")) void this.open();
  }

  /** Let the others see the second camera, or the first again. The sound goes on as it is. */
  async use(second: boolean): Promise<void> {
    const { stream } = this;
    if (this.opening || stream === null || second === this.second) return;
    this.opening = true;
    const switched = await this.parts.switchCamera(stream, second);
    this.opening = false;
    if (this.stream !== stream) {
      // The lesson ended while the camera was opening.
      if (switched !== null) this.parts.close(switched);
    } else if (switched === null) {
      this.notSwitched = true;
    } else {
      this.second = second;
      this.notSwitched = false;
      this.take({ stream: switched, camera: "ok" });
    }
    // What was to be opened meanwhile.
    if (this.wanted && this.camera !== "ok") void this.open();
    this.changed();
  }

  private async open(): Promise<void> {
    if (this.opening) return;
    this.opening = true;
    clearTimeout(this.retry);
    const capture = await this.parts.open();
    this.opening = false;
    if (!this.wanted) {
      // The lesson ended while the camera was opening.
      if (capture.stream !== null) this.parts.close(capture.stream);
      return;
    }
    this.second = false;
    this.notSwitched = false;
    this.take(capture);
    // With a microphone alone we wait for something to be plugged in: trying again would cut the sound.
    if (capture.stream === null) this.retry = setTimeout(() => void this.open(), RETRY_MS);
    this.changed();
  }

  private take(capture: Capture): void {
    const old = this.stream;
    this.capture = capture;
    for (const track of capture.stream?.getTracks() ?? []) track.onended = () => this.ended(capture);
    this.taken(capture.stream);
    if (old !== null) this.parts.close(old, capture.stream ?? undefined);
  }

  private ended(capture: Capture): void {
    if (this.capture !== capture) return;
    this.capture = { stream: capture.stream, camera: "missing" };
    this.changed();
    void this.open();
  }
}
