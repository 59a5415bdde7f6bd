// Which cameras, microphone and loudspeaker this room uses. They are stored by id and by label: a browser whose storage was
// cleared gives the same devices other ids.

export interface ChosenDevice {
  id: string;
  label: string;
}

export interface DeviceChoice {
  camera: ChosenDevice | null;
  /** Sent instead of the first on request, such as a document camera; null: the room has one camera. */
  second: ChosenDevice | null;
  microphone: ChosenDevice | null;
  speaker: ChosenDevice | null;
  /** The microphone cancels echo and noise itself, as conference speakerphones do: the browser must not do it again. */
  processed: boolean;
}

export const NO_CHOICE: DeviceChoice = { camera: null, second: null, microphone: null, speaker: null, processed: false };

const STORED = "nhipcau.capture";

export function storedChoice(): DeviceChoice {
  try {
    const stored = JSON.parse(localStorage.getItem(STORED) ?? "{}") as Partial<Record<keyof DeviceChoice, unknown>>;
    return {
      camera: deviceOf(stored.camera),
      second: deviceOf(stored.second),
      microphone: deviceOf(stored.microphone),
      speaker: deviceOf(stored.speaker),
      processed: stored.processed === true,
    };
  } catch {
    return NO_CHOICE;
  }
}

export function storeChoice(choice: DeviceChoice): void {
  localStorage.setItem(STORED, JSON.stringify(choice));
}

/** Earlier versions stored the id alone. */
function deviceOf(value: unknown): ChosenDevice | null {
  if (typeof value === "string" && value !== "") return { id: value, label: "" };
  if (typeof value !== "object" || value === null) return null;
  const { id, label } = value as Partial<ChosenDevice>;
  return typeof id === "string" && typeof label === "string" ? { id, label } : null;
}

interface Device {
  kind: string;
  deviceId: string;
  label: string;
}

/** The present id of the chosen device; null: none was chosen, or it is not plugged in. */
export function deviceIdOf(chosen: ChosenDevice | null, devices: readonly Device[], kind: MediaDeviceKind): string | null {
  if (chosen === null) return null;
  const ofKind = devices.filter((each) => each.kind === kind);
  const found = ofKind.find((each) => each.deviceId === chosen.id) ?? ofKind.find((each) => each.label !== "" && each.label === chosen.label);
  return found?.deviceId ?? null;
}

/** All devices that the browser reports; none without HTTPS. */
export async function knownDevices(): Promise<MediaDeviceInfo[]> {
  try {
    return await navigator.mediaDevices.enumerateDevices();
  } catch {
    return [];
  }
}
