// Camera and microphone of the room: opened for a lesson, closed with it, never between.

import type { Camera } from "../api/types";

export interface Capture {
  /** What could be opened; null: neither camera nor microphone. */
  stream: MediaStream | null;
  camera: Camera;
}

export interface Choice {
  camera: string | null;
  microphone: string | null;
}

const STORED = "nhipcau.capture";

export function storedChoice(): Choice {
  try {
    const stored = JSON.parse(localStorage.getItem(STORED) ?? "{}") as Partial<Choice>;
    return { camera: stored.camera ?? null, microphone: stored.microphone ?? null };
  } catch {
    return { camera: null, microphone: null };
  }
}

export function storeChoice(choice: Choice): void {
  localStorage.setItem(STORED, JSON.stringify(choice));
}

/** `ideal`, not `exact`: an unplugged camera must not stop a lesson that another could show. */
function constraints(choice: Choice): { audio: MediaTrackConstraints; video: MediaTrackConstraints } {
  return {
    audio: {
      echoCancellation: true,
      noiseSuppression: true,
      autoGainControl: true,
      ...(choice.microphone === null ? {} : { deviceId: { ideal: choice.microphone } }),
    },
    video: {
      width: { ideal: 960 },
      height: { ideal: 540 },
      frameRate: { ideal: 24, max: 30 },
      ...(choice.camera === null ? {} : { deviceId: { ideal: choice.camera } }),
    },
  };
}

const isDenied = (error: unknown): boolean =>
  error instanceof DOMException && (error.name === "NotAllowedError" || error.name === "SecurityError");

/** Both if possible, else the one there is. Never raises: what is missing is said in `camera`. */
export async function openCapture(choice: Choice = storedChoice()): Promise<Capture> {
  // Without HTTPS browsers have no mediaDevices at all.
  const devices = navigator.mediaDevices as MediaDevices | undefined;
  if (devices === undefined) return { stream: null, camera: "denied" };
  const { audio, video } = constraints(choice);
  try {
    return { stream: await devices.getUserMedia({ audio, video }), camera: "ok" };
  } catch (both) {
    try {
      return { stream: await devices.getUserMedia({ audio }), camera: isDenied(both) ? "denied" : "missing" };
    } catch {
      try {
        return { stream: await devices.getUserMedia({ video }), camera: "ok" };
      } catch {
        return { stream: null, camera: isDenied(both) ? "denied" : "missing" };
      }
    }
  }
}

export function closeCapture(stream: MediaStream | null): void {
  for (const track of stream?.getTracks() ?? []) track.stop();
}

/** Whether the browser would ask a person first; a room's screen must not depend on that in the morning. */
export async function permission(): Promise<"granted" | "prompt" | "denied"> {
  try {
    const [camera, microphone] = await Promise.all(
      ["camera", "microphone"].map((name) => navigator.permissions.query({ name: name as PermissionName })),
    );
    const states = [camera?.state, microphone?.state];
    if (states.includes("denied")) return "denied";
    return states.every((state) => state === "granted") ? "granted" : "prompt";
  } catch {
    return "prompt";
  }
}
