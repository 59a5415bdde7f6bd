// Cameras and microphone of the room: opened for a lesson, closed with it, never between. One camera at a time.

import type { Camera } from "../../api/types";
import { type DeviceChoice, deviceIdOf, knownDevices, storedChoice } from "./deviceChoice";

export interface Capture {
  /** What could be opened; null: neither camera nor microphone. */
  stream: MediaStream | null;
  camera: Camera;
}

/** `ideal`, not `exact`: an unplugged camera must not stop a lesson that another could show. */
export function constraints(
  choice: DeviceChoice,
  devices: readonly MediaDeviceInfo[],
): { audio: MediaTrackConstraints; video: MediaTrackConstraints } {
  const microphone = deviceIdOf(choice.microphone, devices, "audioinput");
  const camera = deviceIdOf(choice.camera, devices, "videoinput");
  const browserProcesses = !choice.processed;
  return {
    audio: {
      echoCancellation: browserProcesses,
      noiseSuppression: browserProcesses,
      autoGainControl: browserProcesses, // one microphone for near and far pupils
      ...(microphone === null ? {} : { deviceId: { ideal: microphone } }),
    },
    video: { ...PICTURE, ...(camera === null ? {} : { deviceId: { ideal: camera } }) },
  };
}

/** 16:9, which divides into layers of 360 and 180 lines. */
const PICTURE: MediaTrackConstraints = {
  width: { ideal: 1280 },
  height: { ideal: 720 },
  frameRate: { ideal: 24, max: 30 },
};

const isDenied = (error: unknown): boolean =>
  error instanceof DOMException && (error.name === "NotAllowedError" || error.name === "SecurityError");

/** Both if possible, else the one there is. Never raises: what is missing is said in `camera`.
 *
 * What `kept` has goes on, but for what has ended or can be replaced by the device that was chosen; where nothing was
 * opened, that is `kept` itself. `secondCamera`: its picture is the second camera's, as it should be. `picture`: a camera is wanted.
 */
export async function openCapture(
  kept: MediaStream | null = null,
  secondCamera = false,
  picture = true,
  choice: DeviceChoice = storedChoice(),
): Promise<Capture> {
  // Without HTTPS browsers have no mediaDevices at all.
  const devices = navigator.mediaDevices as MediaDevices | undefined;
  if (devices === undefined) return { stream: null, camera: "denied" };
  const { audio, video } = constraints(choice, await knownDevices());
  const live = (kept?.getTracks() ?? []).filter((track) => track.readyState === "live" && (picture || track.kind === "audio"));
  const missing: MediaStreamConstraints[] = [];
  if (!live.some((track) => track.kind === "audio" && isChosen(track, audio))) missing.push({ audio });
  if (picture && !live.some((track) => track.kind === "video" && (secondCamera || isChosen(track, video)))) missing.push({ video });
  const { opened, denied } = await openFirstPossible(devices, missing);
  const continuing = live.filter((track) => opened.every((other) => other.kind !== track.kind));
  const tracks = [...continuing, ...opened];
  const unchanged = opened.length === 0 && continuing.length === kept?.getTracks().length;
  return {
    stream: unchanged ? kept : tracks.length === 0 ? null : new MediaStream(tracks),
    camera: tracks.some((track) => track.kind === "video") ? "ok" : denied ? "denied" : picture ? "missing" : "unknown",
  };
}

/** Whether it is the device that was chosen; so is any where none was, or it is not plugged in. */
function isChosen(track: MediaStreamTrack, { deviceId }: MediaTrackConstraints): boolean {
  return deviceId === undefined || (deviceId as ConstrainDOMStringParameters).ideal === track.getSettings().deviceId;
}

/** All at once, so that a browser that asks a person asks once; else the first that can be had. */
async function openFirstPossible(
  devices: MediaDevices,
  wanted: readonly MediaStreamConstraints[],
): Promise<{ opened: MediaStreamTrack[]; denied: boolean }> {
  let refusal: unknown = null;
  for (const each of wanted.length > 1 ? [Object.assign({}, ...wanted) as MediaStreamConstraints, ...wanted] : wanted) {
    try {
      return { opened: withContentHint(await devices.getUserMedia(each)).getTracks(), denied: isDenied(refusal) };
    } catch (error) {
      refusal ??= error;
    }
  }
  return { opened: [], denied: isDenied(refusal) };
}

/** The sound of `stream` as it is, with the picture of the room's second camera or of its first; null: not to be had.
 *
 * The second one exactly: another in its place would show what nobody meant to show.
 */
export async function switchCamera(
  stream: MediaStream,
  secondCamera: boolean,
  choice: DeviceChoice = storedChoice(),
): Promise<MediaStream | null> {
  const devices = await knownDevices();
  const camera = deviceIdOf(choice.second, devices, "videoinput");
  if (secondCamera && camera === null) return null;
  const video = secondCamera ? { ...PICTURE, deviceId: { exact: camera ?? "" } } : constraints(choice, devices).video;
  try {
    const picture = withContentHint(await navigator.mediaDevices.getUserMedia({ video }));
    return new MediaStream([...stream.getAudioTracks(), ...picture.getVideoTracks()]);
  } catch {
    return null;
  }
}

/** A class moves: rather fewer lines than fewer frames. */
function withContentHint(stream: MediaStream): MediaStream {
  for (const track of stream.getVideoTracks()) track.contentHint = "motion";
  for (const track of stream.getAudioTracks()) track.contentHint = "speech";
  return stream;
}

/** The sound of `stream` alone; null: it has none. */
export function withoutPicture(stream: MediaStream): MediaStream | null {
  const sound = stream.getAudioTracks();
  return sound.length === 0 ? null : new MediaStream(sound);
}

/** `kept`: goes on, with what it has of `stream`. */
export function closeCapture(stream: MediaStream | null, kept: MediaStream | null = null): void {
  const continuing = kept?.getTracks() ?? [];
  for (const track of stream?.getTracks() ?? []) if (!continuing.includes(track)) track.stop();
}

/** Whether the browser would ask a person first; a room's screen must not depend on that in the morning. */
export async function capturePermission(): Promise<"granted" | "prompt" | "denied"> {
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
