// Attachments that bind tracks to media elements without anything in the markup that a strict policy would refuse.

import type { Attachment } from "svelte/attachments";

/** Show this track; muted pictures may always play. `moved` is called when the first frame is on screen. */
export function picture(track: MediaStreamTrack | null, moved?: (atMs: number) => void): Attachment<HTMLVideoElement> {
  return (element) => {
    element.muted = true;
    element.srcObject = track === null ? null : new MediaStream([track]);
    if (track === null) return;
    void element.play().catch(() => undefined); // tracks without frames yet are no error
    const handle = element.requestVideoFrameCallback(() => {
      element.dataset.moving = "true";
      moved?.(performance.timeOrigin + performance.now());
    });
    return () => {
      element.cancelVideoFrameCallback(handle);
      delete element.dataset.moving;
      element.srcObject = null;
    };
  };
}

/** Let this track be heard unless `muted`. `refused` is told when the browser first wants a touch. */
export function sound(track: MediaStreamTrack | null, muted: boolean, refused?: (yes: boolean) => void): Attachment<HTMLAudioElement> {
  return (element) => {
    element.srcObject = track === null ? null : new MediaStream([track]);
    element.muted = muted;
    if (track === null) return;
    element.play().then(
      () => refused?.(false),
      (error: unknown) => {
        if (error instanceof DOMException && error.name === "NotAllowedError") refused?.(true);
      },
    );
    return () => {
      element.srcObject = null;
    };
  };
}

/** The same stream as it is, for our own picture. */
export function stream(source: MediaStream | null): Attachment<HTMLVideoElement> {
  return (element) => {
    element.muted = true;
    element.srcObject = source;
    if (source !== null) void element.play().catch(() => undefined);
    return () => {
      element.srcObject = null;
    };
  };
}
