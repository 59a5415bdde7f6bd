// Svelte attachments that bind tracks to media elements.

import type { Attachment } from "svelte/attachments";

/** Shows a track; browsers always let muted video play. `onFirstFrame` is called when the first frame is on screen.
 *
 * A new track replaces the one before in the same stream: the last frame stays until the new track has one.
 */
export function videoTrack(track: MediaStreamTrack | null, onFirstFrame?: (atMs: number) => void): Attachment<HTMLVideoElement> {
  return (element) => {
    element.muted = true;
    setTrack(element, track);
    // A removed element that still has a stream, even an empty one, is never collected, nor is anything around it.
    const releaseStream = (): void => {
      queueMicrotask(() => {
        if (!element.isConnected) element.srcObject = null;
      });
    };
    if (track === null) return releaseStream;
    void element.play().catch(() => undefined); // a track without frames yet is no error
    const handle = element.requestVideoFrameCallback(() => {
      element.dataset.moving = "true";
      onFirstFrame?.(performance.timeOrigin + performance.now());
    });
    return () => {
      element.cancelVideoFrameCallback(handle);
      delete element.dataset.moving;
      releaseStream();
    };
  };
}

function setTrack(element: HTMLVideoElement, track: MediaStreamTrack | null): void {
  const stream = element.srcObject instanceof MediaStream ? element.srcObject : new MediaStream();
  for (const each of stream.getTracks()) {
    if (each !== track) stream.removeTrack(each);
  }
  if (track !== null) stream.addTrack(track);
  if (element.srcObject !== stream) element.srcObject = stream;
}

/** Plays a track at this loudspeaker. `onRefused(true)`: the browser plays no sound before a person touches the page. */
export function audioTrack(
  track: MediaStreamTrack | null,
  muted: boolean,
  onRefused?: (yes: boolean) => void,
  speaker: string | null = null,
): Attachment<HTMLAudioElement> {
  return (element) => {
    // Some browsers let no page choose. Where the chosen loudspeaker is unplugged, the default one plays.
    if ("setSinkId" in element) void element.setSinkId(speaker ?? "").catch(() => undefined);
    element.srcObject = track === null ? null : new MediaStream([track]);
    element.muted = muted;
    if (track === null) return;
    element.play().then(
      () => onRefused?.(false),
      (error: unknown) => {
        if (error instanceof DOMException && error.name === "NotAllowedError") onRefused?.(true);
      },
    );
    return () => {
      element.srcObject = null;
    };
  };
}

/** Shows a stream as it is, for the self view. */
export function videoStream(source: MediaStream | null): Attachment<HTMLVideoElement> {
  return (element) => {
    element.muted = true;
    element.srcObject = source;
    if (source !== null) void element.play().catch(() => undefined);
    return () => {
      element.srcObject = null;
    };
  };
}
