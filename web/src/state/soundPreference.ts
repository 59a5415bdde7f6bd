// Whether this tab lets the rooms be heard: kept over a reload, not for whoever sits here tomorrow.

const STORED = "nhipcau.sound";

export const soundOn = (): boolean => sessionStorage.getItem(STORED) === "on";

export function keepSound(on: boolean): void {
  sessionStorage.setItem(STORED, on ? "on" : "off");
}
