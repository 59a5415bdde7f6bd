// Whether this tab plays the rooms' sound. Kept over a reload, but not for the next person at this machine.

const STORED = "nhipcau.sound";

export const isSoundOn = (): boolean => sessionStorage.getItem(STORED) === "on";

export function storeSoundOn(on: boolean): void {
  sessionStorage.setItem(STORED, on ? "on" : "off");
}
