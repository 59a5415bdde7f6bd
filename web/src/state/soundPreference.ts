// Whether this tab lets the rooms be heard: kept over a reload, not for whoever sits here tomorrow.

const STORED = "nhipcau.sound";

export const isSoundOn = (): boolean => sessionStorage.getItem(STORED) === "on";

export function storeSoundOn(on: boolean): void {
  sessionStorage.setItem(STORED, on ? "on" : "off");
}
