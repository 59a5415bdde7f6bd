export type Tone = "good" | "busy" | "warn" | "bad" | "quiet";
