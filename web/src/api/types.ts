// What the controller says and takes under /api/v1 (its OpenAPI document is the reference). Times are RFC 3339 texts.

export type Id = string;
export type Value = boolean | number | string;
export type Role = "teacher" | "technician" | "administrator";
export type Language = "vi" | "en";

export interface Me {
  account: { id: Id; name: string; display_name: string; language: string };
  roles: { role: Role; organisation: { id: Id; name: string } }[];
  /** May operate what all share: bridge nodes, organisations at the top. */
  operator: boolean;
  /** Looks after the accounts of some organisation. */
  administers: boolean;
  /** The password was chosen by somebody else: nothing else is answered until it is replaced. */
  own_password_needed: boolean;
  csrf: string;
}

/** One of somebody's logins. `network`: the address that it was made from; `mine`: this one. */
export interface LoginView {
  id: Id;
  begun: string;
  expires: string;
  network: string;
  mine: boolean;
}

export interface TokenView {
  id: Id;
  name: string;
  created: string;
  expires: string | null;
}

/** Somebody's account as administrators see it. */
export interface AccountWithRoles {
  id: Id;
  name: string;
  display_name: string;
  language: string;
  roles: Me["roles"];
  suspended: boolean;
  own_password_needed: boolean;
  /** Password, logins, tokens and suspension are in this administrator's hands, too. */
  can: boolean;
}

/** A way in for somebody, shown once: a password, or the path of a link. */
export interface Given {
  password: string | null;
  link: string | null;
  expires: string | null;
}

export interface NewAccount {
  name: string;
  display_name: string;
  role: Role;
  organisation: Id;
}

/** Where a school's devices connect. `host` "": not configured. `reach` "machine": no other machine comes there. */
export interface MqttCorner {
  host: string;
  port: number;
  tls: boolean;
  reach: "network" | "machine";
  username: string;
  discovery_prefix: string;
  own_prefix: string;
  ours: boolean;
  issued: boolean;
}

/** One line of the audit log; `name` where it is an account's. */
export interface AuditEntry {
  at: string;
  actor: { id: string; name: string | null };
  action: string;
  about: { kind: string; id: string; name: string | null };
  before: Record<string, unknown> | null;
  after: Record<string, unknown> | null;
}

export interface MqttLogin {
  username: string;
  password: string;
}

export interface School {
  id: Id;
  name: string;
  province: string;
}

export interface Organisation extends School {
  parent: Id | null;
  kind: "department" | "school";
}

export type Importance = "essential" | "useful" | "comfort";
export type StepState =
  | "waiting"
  | "running"
  | "confirmed"
  | "assumed"
  | "failed"
  | "timed_out"
  | "expired"
  | "superseded"
  | "skipped"
  | "overridden";

export interface Step {
  id: Id;
  device: { id: Id; name: string; type: string };
  property: string;
  value: Value;
  importance: Importance;
  state: StepState;
  /** It was done, and since then its device cannot be reached. */
  lost: boolean;
  code: string;
  since: string;
  deadline_s: number;
  /** What the device has said since the command; null: nothing. */
  reported: Value | null;
  unit: string;
  /** How far the command is, while the step runs. */
  command: CommandState | null;
  /** The first step that it needs and that has not succeeded. */
  because: Id | null;
}

export interface Problem {
  code: string;
  importance: Importance;
  device: string | null;
}

export type DevicesState = "idle" | "preparing" | "ready" | "degraded" | "failed";
export type DisplayPresence = "absent" | "connected" | "joining" | "joined";
export type Camera = "unknown" | "ok" | "denied" | "missing";
export type MediaLink = "none" | "good" | "weak" | "lost";

export interface Site {
  room: { id: Id; name: string };
  school: School;
  invitation: "pending" | "accepted" | "declined" | "revoked" | "expired";
  /** When the host asked last, after the invitation itself. */
  reminded_at: string | null;
  /** The person may answer for this room, and decide what it sends. */
  own: boolean;
  /** Its own school keeps its sound, its picture from the others. */
  muted: boolean;
  camera_off: boolean;
  ready: boolean;
  devices: { state: DevicesState; steps: Step[] };
  display: { state: DisplayPresence; camera: Camera };
  media: {
    video: boolean;
    audio: boolean;
    receiving: boolean;
    link: MediaLink;
    /** Its sound is above the noise of the room. */
    speaking: boolean;
    /** Large for most of the others. */
    on_stage: boolean;
    /** Sent to some of the others. */
    heard: boolean;
    /** Which client's screen the room shares (`ScreenGrant.client`). */
    sharing: string | null;
  };
  quality: SiteQuality | null;
  problems: Problem[];
}

/** How it is for a site, why, and where the cause is. Uplink: from the site to the bridge. */
export interface SiteQuality {
  word: Word;
  cause: Cause;
  side: "none" | "site" | "bridge" | "others";
}

export type Word = "good" | "weak" | "lost";
export type Cause =
  | "none"
  | "not_connected"
  | "silent"
  | "camera"
  | "microphone"
  | "uplink_loss"
  | "uplink_slow"
  | "downlink_loss"
  | "downlink_slow"
  | "cpu"
  | "round_trip"
  | "jitter"
  | "node";

/** One value per step of `interval_s` from `start` on; null where nothing is known. Losses: 0 to 1. */
export interface History {
  start: string;
  interval_s: number;
  word: (Word | null)[];
  up_kbps: (number | null)[];
  down_kbps: (number | null)[];
  estimate_kbps: (number | null)[];
  up_loss: (number | null)[];
  down_loss: (number | null)[];
  round_trip_ms: (number | null)[];
  jitter_ms: (number | null)[];
  freezes: (number | null)[];
}

/** A site's connection now. */
export interface Figures {
  up_kbps: number;
  up_height: number;
  frames_per_s: number;
  down_kbps: number;
  estimate_kbps: number | null;
  stage_height: number;
  up_loss: number;
  down_loss: number;
  round_trip_ms: number | null;
  jitter_ms: number;
  concealed: number;
}

export interface SiteHistory {
  room: { id: Id; name: string };
  school: School;
  quality: SiteQuality | null;
  now: Figures | null;
  history: History | null;
}

export interface LessonQuality {
  lesson: Id;
  title: string;
  live: boolean;
  sites: SiteHistory[];
}

/** Why the person cannot start a scheduled lesson now. */
export interface StartBlock {
  code: "not_yours" | "no_role" | "too_early" | "too_late" | "no_room" | "room_busy";
  /** Names of people of the person's own school who can, some of `count`. */
  who: string[];
  count: number;
  at: string | null;
  room: string | null;
  /** The title of the lesson that has the room, where the person may see it. */
  lesson: string | null;
}

export type LessonKind = "lesson" | "meeting" | "training";
export type LessonState = "scheduled" | "live" | "ended" | "cancelled";

export interface Lesson {
  id: Id;
  title: string;
  subject: string;
  kind: LessonKind;
  state: LessonState;
  start: string;
  end: string;
  started_at: string | null;
  ended_at: string | null;
  end_reason: string;
  version: number;
  host: { id: Id; name: string };
  /** `share`: the room as which the person may share a screen now. `resume`: until when it may be resumed. */
  can: { start: boolean; start_block: StartBlock | null; end: boolean; resume: string | null; share: Id | null; diagnose: boolean };
  mode: Mode;
  floor: Floor | null;
  /** Of its bridge; another one: it goes on at another bridge; null: it has none. */
  epoch: string | null;
  sites: Site[];
}

/** A lease: the room is heard, and large for all others. */
export interface Floor {
  room: Id;
  until: string;
}

export interface Grant {
  url: string;
  token: string;
}

/** To share a screen as a room's, over a connection of its own. `client`: what the share is known by; `epoch`: its bridge's. */
export interface ScreenGrant extends Grant {
  client: string;
  epoch: string;
}

/** Which room each receive slot (by its mid) carries; null: nobody at present. */
export type Slots = Record<string, Id | null>;
/** How it comes. "still": a picture every few seconds, "paused": nothing, because nobody looks or the link is too weak. */
export type Flow = "none" | "live" | "still" | "paused";

/** What the receive slots of one connection carry. */
export interface Received {
  slots: Slots;
  flows: Record<string, Flow>;
  /** Mids of slots that carry a shared screen, not a camera. */
  slides: string[];
}

export interface Watch {
  whep: Grant;
  epoch: string | number;
  video: number;
  audio: number;
}

export type Availability = "unknown" | "online" | "stale" | "offline";
export type Quality = "confirmed" | "assumed" | "stale" | "unknown";
export type CommandState =
  | "accepted"
  | "sent"
  | "acknowledged"
  | "confirmed"
  | "assumed"
  | "failed"
  | "timed_out"
  | "superseded"
  | "expired";

export interface Property {
  name: string;
  capability: string;
  kind: "bool" | "number" | "enum" | "text";
  unit: string;
  minimum: number | null;
  maximum: number | null;
  step: number | null;
  options: string[];
  settable: boolean;
  value: Value | null;
  reported_at: string | null;
  quality: Quality;
  pending: { value: Value; state: CommandState } | null;
}

export interface Device {
  id: Id;
  school: Id;
  room: Id | null;
  name: string;
  type: string;
  manufacturer: string;
  model: string;
  serial: string;
  firmware: string;
  suggested_room: string;
  availability: Availability;
  last_seen: string | null;
  properties: Property[];
}

export interface RoomDisplay {
  id: Id;
  name: string;
  paired_at: string;
  last_seen: string | null;
  connected: boolean;
}

export interface Room {
  id: Id;
  name: string;
  version: number;
  school: School;
  devices: Device[];
  displays: RoomDisplay[];
  scenes: string[];
  in_use_by: Id | null;
}

/** One thing a scene sets. `after`: starts once those have settled; `needs`: only if those have succeeded. */
export interface SceneStep {
  id: Id;
  device: Id;
  property: string;
  value: Value;
  importance: Importance;
  deadline_s: number;
  after: Id[];
  needs: Id[];
}

export interface Scene {
  name: string;
  version: number;
  steps: SceneStep[];
}

export interface DiscoveryProblem {
  topic: string;
  code: string;
  detail: string;
}

export interface CommandResult {
  device: Id;
  property: string;
  value: Value;
  state: CommandState;
  code: string;
  at: string;
}

/** What arrives on the WebSocket /api/v1/events. */
export type ServerEvent =
  | { type: "hello"; time: string }
  | { type: "lesson"; lesson: Lesson }
  | { type: "lesson_removed"; id: Id }
  | { type: "device"; device: Device }
  | { type: "device_removed"; id: Id }
  | { type: "room"; room: Room }
  | { type: "room_removed"; id: Id }
  | ({ type: "watch"; lesson: Id; view: string; epoch: string | number } & Received);

/** Who is heard: the host alone, the host and who has the floor, or everybody. */
export type Mode = "teacher" | "called" | "discussion";

export interface CallRoom {
  id: Id;
  name: string;
  school: string;
  province: string;
  /** Whether anything connects it with the bridge. */
  here: boolean;
  /** Its own school keeps its sound, its picture from the others. */
  muted: boolean;
  camera_off: boolean;
}

/** A lesson that a display shall be in. Another (lesson, epoch) means: leave and join anew. */
export interface DisplayCall extends Received {
  lesson: Id;
  title: string;
  epoch: string | number;
  /** The bridge before goes on for a while: displays go over within this time, each when it likes. 0: at once. */
  spread_ms: number;
  whip: Grant;
  whep: Grant;
  screen: ScreenGrant;
  /** Which client's screen our room shares. */
  sharing: string | null;
  /** Receive slots to offer: the first video slot is the stage. */
  video: number;
  audio: number;
  rooms: CallRoom[];
  /** By rid: whether anybody is sent that layer of our camera; send those that are not named. */
  layers: Record<string, boolean>;
  mode: Mode;
  /** Which room has it; our own, too. */
  floor: Id | null;
  /** Which room speaks now. */
  speaking: Id | null;
  /** What our own room keeps from the others. */
  muted: boolean;
  camera_off: boolean;
  /** Our room may leave by this display. */
  may_leave: boolean;
}

/** A live lesson that waits for a display's room. `stepped_out`: the room left by its display and may come back by it. */
export interface Asking {
  lesson: Id;
  title: string;
  host: string;
  stepped_out: boolean;
  reminded_at: string | null;
}

export interface DisplayState {
  type: "state";
  time: string;
  display: Id;
  room: { id: Id; name: string };
  school: School;
  next: { title: string; start: string } | null;
  asking: Asking | null;
  call: DisplayCall | null;
}

/** What arrives on the WebSocket /api/v1/display/events. */
export type DisplayEvent =
  | { type: "pairing"; code: string; expires: string }
  | { type: "paired"; token: string }
  | { type: "pong" }
  /** What the display asked for cannot be done; "later": not now. */
  | { type: "error"; code: string }
  | DisplayState
  /** What is another in the call of the last state. */
  | { type: "call"; call: Partial<DisplayCall> };

export interface DisplayReport {
  type: "report";
  joined: boolean;
  camera: Camera;
  publishing: boolean;
  playing: number;
  frames_decoded: number;
  audio_energy: number;
  weak: boolean;
  send_round_trip_ms: number | null;
  send_loss: number | null;
  limited: SendLimit;
  freezes: number;
  concealed: number;
  cpu_slow: boolean;
}

/** Why the browser sends a smaller picture than it could. */
export type SendLimit = "none" | "cpu" | "bandwidth";
