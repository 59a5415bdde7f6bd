import type { site as vi } from "../vi/site";

export const site: typeof vi = {
  site: {
    weak: "Weak connection",
    cpu: "Room machine overloaded",
    node: "Bridge server congested",
    lost: "Picture or sound lost",
    off: "Something is switched off",
    waiting: "Not answered",
    refused: "Not taking part",
    ready: "Ready",
    preparing: "Getting ready",
    degraded: "Usable, but incomplete",
    failed: "Check this room",
    idle: "Waiting",
    steps: "Devices",
    noSteps: "This room's devices do not switch on automatically yet.",
    allDone: (n) => `Everything is ready (${n})`,
    someDone: (n) => `Ready (${n})`,
    switchOn: "Switch on again",
    setAgain: "Set again",
    again: "Try again",
    noPicture: "No picture yet",
    picture: (room) => `Live picture from ${room}`,
  },

  display: {
    absent: "Room display is not connected",
    connected: "The room is about to join",
    joining: "The room is joining",
    joined: "The room has joined",
  },

  camera: { unknown: "", ok: "", denied: "The browser does not allow the camera", missing: "No camera found" },

  media: {
    none: "No picture or sound yet",
    good: "Picture and sound are good",
    soundOnly: "Sound, but no picture yet",
    pictureOnly: "Picture, but no sound yet",
    weak: "Weak connection, the picture may stutter",
    lost: "Connection lost, reconnecting",
    notReceiving: "This room does not receive the others' picture yet",
  },

  problem: {
    device_offline: (device) => `${device} is not connected`,
    device_silent: (device) => `${device} does not answer`,
    device_refused: (device) => `${device} did not follow the command`,
    switched_off: (device) => `${device} is off: somebody switched it off`,
    devices_unreached: "The server cannot reach the devices",
    step_skipped: (device) => `${device} was not changed: the step before did not succeed`,
    display_absent: "The room display is off or has no network",
    camera_denied: "The room's browser does not allow the camera",
    camera_missing: "The room has no camera: others cannot see it",
    no_video: "No picture from this room yet",
    no_audio: "No sound from this room yet",
    link_weak: "The room's connection is weak, the picture may stutter",
    link_lost: "The room's connection is lost, reconnecting",
    other: (code) => `Check this room (${code})`,
    otherDevice: (device, code) => `${device}: check it (${code})`,
  },

  importance: { essential: "Essential", useful: "Useful", comfort: "Comfort" },
};
