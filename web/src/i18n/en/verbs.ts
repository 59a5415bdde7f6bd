// Turns a command ("switch on") into what the device is doing ("is switching on") and into the result ("is on").

/** The beginning of a command and of both sentences; the rest ("HDMI 1") stays. */
const FORMS: readonly (readonly [asked: string, doing: string, done: string])[] = [
  ["switch on", "is switching on", "is on"],
  ["switch off", "is switching off", "is off"],
  ["warm up", "is warming up", "has warmed up"],
  ["cool down to switch off", "is cooling down to switch off", "has cooled down"],
  ["lower", "is going down", "is down"],
  ["raise", "is going up", "is up"],
  ["move to", "is moving to", "is at"],
  ["close", "is closing", "is closed"],
  ["open", "is opening", "is open"],
  ["change mode to", "is changing its mode to", "is in mode"],
  ["change to", "is changing to", "is at"],
  ["mute", "is muting", "is muted"],
  ["unmute", "is unmuting", "is no longer muted"],
  ["pause picture", "is pausing picture", "has paused picture"],
  ["bring back picture", "is bringing back picture", "has brought back picture"],
  ["set volume to", "is setting its volume to", "has its volume at"],
  ["set brightness to", "is setting its brightness to", "has its brightness at"],
  ["set fan to", "is setting its fan to", "has its fan at"],
  ["set to", "is going to", "is set to"],
  ["turn to", "is turning to", "has turned to"],
  ["take the command", "is taking the command", "took the command"],
];
const SETTING = /^set (.+) to /;

const form = (what: string) => FORMS.find(([asked]) => what === asked || what.startsWith(`${asked} `));

export function doing(what: string): string {
  const found = form(what);
  return found === undefined ? what.replace(SETTING, "is setting $1 to ") : found[1] + what.slice(found[0].length);
}

export function done(what: string): string {
  const found = form(what);
  return found === undefined ? what.replace(SETTING, "has $1 at ") : found[2] + what.slice(found[0].length);
}
