// Opens and closes the room's camera and microphone (getUserMedia). One camera at a time.

import type { Camera } from "../../api/types";
import { type DeviceChoice, deviceIdOf, knownDevices, storedChoice } from "./deviceChoice";

export interface Capture {
  /** The tracks that could be opened; null: neither camera nor microphone. */
  stream: MediaStream | null;
  camera: Camera;
}

/** Device ids are `ideal`, not `exact`: where the chosen camera is unplugged, another one must do. */
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

/** 720 lines, so that the simulcast layers have 360 and 180. */
const PICTURE: MediaTrackConstraints = {
  width: { ideal: 1280 },
  height: { ideal: 720 },
  frameRate: { ideal: 24, max: 30 },
};

const isDenied = (error: unknown): boolean =>
  error instanceof DOMException && (error.name === "NotAllowedError" || error.name === "SecurityError");

/** Opens camera and microphone, or one of them where the other cannot be opened. Never raises: `camera` says what is missing.
 *
 * Live tracks of `kept` go on, unless the chosen device can replace them; where nothing was opened, the result has `kept`
 * itself. `secondCamera`: the camera of `kept` is the second one, and stays. `picture`: whether a camera is wanted.
 */
export async function openCapture(
  kept: MediaStream | null = null,
  secondCamera = false,
  picture = true,
  choice: DeviceChoice = storedChoice(),
): Promise<Capture> {
  // Without HTTPS browsers have no `mediaDevices`.
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

/** Whether the track's device is the chosen one. Any is, where none was chosen or the chosen one is unplugged. */
function isChosen(track: MediaStreamTrack, { deviceId }: MediaTrackConstraints): boolean {
  return deviceId === undefined || (deviceId as ConstrainDOMStringParameters).ideal === track.getSettings().deviceId;
}

/** Opens all at once, so that a browser prompts only once; else the first that can be opened. */
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

/** The audio of `stream` with the picture of the second camera, or of the first; null: the camera cannot be opened.
 *
 * The second one is `exact`: another camera in its place would show what nobody meant to show.
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

/** People move, so the encoder should reduce resolution before frame rate; audio is speech. */
function withContentHint(stream: MediaStream): MediaStream {
  for (const track of stream.getVideoTracks()) track.contentHint = "motion";
  for (const track of stream.getAudioTracks()) track.contentHint = "speech";
  return stream;
}

/** The audio of `stream` alone; null: it has none. */
export function withoutPicture(stream: MediaStream): MediaStream | null {
  const sound = stream.getAudioTracks();
  return sound.length === 0 ? null : new MediaStream(sound);
}

/** Stops all tracks of `stream` but those that are also in `kept`. */
export function closeCapture(stream: MediaStream | null, kept: MediaStream | null = null): void {
  const continuing = kept?.getTracks() ?? [];
  for (const track of stream?.getTracks() ?? []) if (!continuing.includes(track)) track.stop();
}

/** Whether the browser would prompt a person; a lesson's start must not depend on that. */
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
