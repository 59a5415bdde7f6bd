// Attachments that bind tracks to media elements without anything in the markup that a strict policy would refuse.

import type { Attachment } from "svelte/attachments";

/** Show this track; muted pictures may always play. `onFirstFrame` is called when the first frame is on screen.
 *
 * Another track takes the place of the one before in the same stream: what was seen last stays until it has a frame.
 */
export function videoTrack(track: MediaStreamTrack | null, onFirstFrame?: (atMs: number) => void): Attachment<HTMLVideoElement> {
  return (element) => {
    element.muted = true;
    setTrack(element, track);
    // A stream left in an element that is gone, even an empty one, keeps both and all around them for ever.
    const releaseStream = (): void => {
      queueMicrotask(() => {
        if (!element.isConnected) element.srcObject = null;
      });
    };
    if (track === null) return releaseStream;
    void element.play().catch(() => undefined); // tracks without frames yet are no error
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

/** Let this track be heard unless `muted`, from this loudspeaker. `onRefused` is told when the browser first wants a touch. */
export function audioTrack(
  track: MediaStreamTrack | null,
  muted: boolean,
  onRefused?: (yes: boolean) => void,
  speaker: string | null = null,
): Attachment<HTMLAudioElement> {
  return (element) => {
    // Not every browser lets a page choose; one that is unplugged is as good as none chosen.
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

/** The same stream as it is, for our own picture. */
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
