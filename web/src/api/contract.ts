// Written by `make contract` from what the server serves (controller/web/typescript.py). Do not edit.

export const ROLES = ["teacher", "technician", "administrator"] as const;
export const EQUIP_ROLES = {"at": ["technician", "administrator"], "below": ["technician"]} as const;
export const ADMINISTER_ROLES = {"at": ["administrator"], "below": ["administrator"]} as const;
export const ACCOUNT_NAME_PATTERN = "^[a-z0-9](?:[a-z0-9._-]{0,38}[a-z0-9])?$";
export const LONGEST_ACCOUNT_NAME = 40;
export const LONGEST_DISPLAY_NAME = 80;
export const SHORTEST_PASSWORD = 12;
export const LONGEST_PASSWORD = 200;
export const LONGEST_ORGANISATION_NAME = 200;
export const LONGEST_PROVINCE = 100;
export const LONGEST_FLOOR_S = 1800;
export const REMIND_PAUSE_S = 60;
export const MOST_THUMBNAILS = 8;
export const WEAK_LOSS = 0.05;
export const WEAK_ROUND_TRIP_MS = 400.0;
export const DEFAULT_TIMEZONE = "Asia/Ho_Chi_Minh";
export const PRESENTERS = ["projector", "ifp", "display", "tv"] as const;

export interface Account {
  id: string;
  name: string;
  display_name: string;
  language: Language;
}

/** What is left out stays as it is. */
export interface AccountEdit {
  display_name?: string | null;
  language?: Language | null;
}

/** `can`: whether password, logins, tokens and suspension are in my hands; else only the roles shown are. */
export interface AccountWithRoles {
  id: string;
  name: string;
  display_name: string;
  language: Language;
  roles: HeldRole[];
  suspended: boolean;
  own_password_needed: boolean;
  can: boolean;
}

export interface Accounts {
  next: string | null;
  total: number | null;
  accounts: AccountWithRoles[];
}

/** `password`: the one that was made, shown this once; null where one was typed. */
export interface AddedAccount {
  account: AccountWithRoles;
  password: string | null;
}

export interface Address {
  gateway: GatewayName;
  host: string;
  port: number;
  has_password: boolean;
}

/** `password` left out or null: it stays; "": there is none any more. */
export interface AddressEdit {
  host: string;
  port: number;
  password?: string | null;
}

/**
 * A live lesson that the room does not take part in: nobody has answered yet, or the display left it.
 *
 * `host`: the school's name. `stepped_out`: the room left by its display, and may come back by it.
 */
export interface AskingLesson {
  lesson: string;
  title: string;
  host: string;
  stepped_out: boolean;
  reminded_at: string | null;
}

/** The newest first. */
export interface Audit {
  next: string | null;
  total: number | null;
  entries: AuditEntry[];
}

/** `name`: of an account. */
export interface AuditAbout {
  kind: string;
  id: string;
  name: string | null;
}

/** `id`: an account's id, or what acted: "time", "operator lan", "network 192.0.2.1". `name`: of an account. */
export interface AuditActor {
  id: string;
  name: string | null;
}

export interface AuditEntry {
  at: string;
  actor: AuditActor;
  action: string;
  about: AuditAbout;
  before: Record<string, unknown> | null;
  after: Record<string, unknown> | null;
}

/** Whether a device can be reached. The broker's last will is a hint; a fresh message outranks it. */
export type Availability = "unknown" | "online" | "stale" | "offline";

/** What is another in the call of the last state: some of the fields of `DisplayCall`. */
export interface CallChange {
  type: "call";
  call: DisplayCallChange;
}

/**
 * A room that takes part in a display's call. `here`: something connects it with the bridge.
 *
 * `school`, `province`: names. `muted`, `camera_off`: its own school keeps its sound, its picture from the others.
 */
export interface CallRoom {
  id: string;
  name: string;
  school: string;
  province: string;
  here: boolean;
  muted: boolean;
  camera_off: boolean;
}

/** What a display page says of its camera and microphone. */
export type Camera = "unknown" | "ok" | "denied" | "missing";

/**
 * `share`: the room whose screen may be shared now. `resume`: until when the lesson may be resumed.
 *
 * `start_block`: why a scheduled lesson cannot be started; null where it can, and of other lessons.
 */
export interface Can {
  start: boolean;
  start_block: StartBlock | null;
  end: boolean;
  resume: string | null;
  share: string | null;
  diagnose: boolean;
}

/** One thing a device can do. Names follow Matter clusters and Home Assistant device classes. */
export type Capability = "power" | "level" | "color_temperature" | "av_source" | "av_mute" | "audio_level" | "microphone" | "ptz" | "camera_stream" | "cover" | "climate" | "fan" | "co2" | "temperature" | "humidity" | "pm25" | "illuminance" | "occupancy" | "contact" | "meter" | "consumable" | "health" | "button" | "other";

/** Why it is not good. Uplink: from the site to the bridge. */
export type Cause = "none" | "not_connected" | "silent" | "camera" | "microphone" | "uplink_loss" | "uplink_slow" | "downlink_loss" | "downlink_slow" | "cpu" | "round_trip" | "jitter" | "node";

export interface Claim {
  room: string;
}

export interface Command {
  property: string;
  value: boolean | number | string;
  timeout_s?: number;
}

/** Why a command ended as it did, in our words; a device may give others of its own. */
export type CommandCode = "already" | "too_late" | "not_sent" | "broker_away" | "broker_lost" | "device_offline" | "device_removed" | "no_report" | "in_transition" | "contradicted" | "cancelled" | "failed" | "unsupported" | "internal_error" | "busy" | "rejected" | "device_fault" | "authentication_refused";

/** How a command ended. `command`: its id. */
export interface CommandResult {
  command: string;
  device: string;
  property: string;
  value: boolean | number | string;
  state: CommandState;
  code: CommandCode | string;
  at: string;
}

/** Where a command is. Everything below `ACKNOWLEDGED` is final. */
export type CommandState = "accepted" | "sent" | "acknowledged" | "confirmed" | "assumed" | "failed" | "timed_out" | "superseded" | "expired";

/** `suggested_room`: what the device itself says of where it is. */
export interface Device {
  id: string;
  school: string;
  room: string | null;
  name: string;
  type: DeviceType;
  manufacturer: string;
  model: string;
  serial: string;
  firmware: string;
  suggested_room: string;
  availability: Availability;
  last_seen: string | null;
  properties: Property[];
}

export interface DeviceChanged {
  type: "device";
  device: Device;
}

export interface DeviceRemoved {
  type: "device_removed";
  id: string;
}

/** What kind of classroom device it is. A word that we do not know is `OTHER`, also where it was kept earlier. */
export type DeviceType = "projector" | "motor_screen" | "ifp" | "tv" | "display" | "light" | "dimmer_light" | "relay_light" | "ac" | "fan" | "blind" | "ptz_camera" | "camera" | "mic" | "microphone" | "speaker" | "room_pc" | "panel" | "gateway" | "smart_plug" | "switch" | "co2_sensor" | "occupancy_sensor" | "temperature_sensor" | "environment_sensor" | "contact_sensor" | "other";

export interface Devices {
  next: string | null;
  total: number | null;
  devices: Device[];
  problems: DiscoveryProblem[];
}

/** What a site's devices are doing for the lesson, step by step. */
export interface DevicesView {
  state: SiteDevices;
  steps: StepView[];
}

/** What could not be taken in of what devices announce. `detail`: for the technician, in English. */
export interface DiscoveryProblem {
  topic: string;
  code: string;
  detail: string;
}

/** A display that is paired to the room. `connected`: its page is open. */
export interface Display {
  id: string;
  name: string;
  paired_at: string;
  last_seen: string | null;
  connected: boolean;
}

/**
 * What a display shall be in. A change of (lesson, epoch) means: leave, and join again.
 *
 * `spread_ms`: the bridge before goes on for a while, and displays go over within this time, each when it likes; 0:
 * at once. `sharing`: which client's screen this room shares. `video`, `audio`: receive slots to offer; the first of
 * `video` is the stage. `rooms`: the other rooms. `layers`: by rid, whether anybody is sent that layer of this
 * display's camera. `floor`: which room has it; `speaking`: which room speaks now. `muted`, `camera_off`: what the
 * display does not send. `may_leave`: the room may leave by this display.
 */
export interface DisplayCall {
  slots: Record<string, string | null>;
  flows: Record<string, Flow>;
  slides: string[];
  lesson: string;
  title: string;
  epoch: string;
  spread_ms: number;
  whip: MediaGrant;
  whep: MediaGrant;
  screen: ScreenGrant;
  sharing: string | null;
  video: number;
  audio: number;
  rooms: CallRoom[];
  layers: Record<string, boolean>;
  mode: Mode;
  floor: string | null;
  speaking: string | null;
  muted: boolean;
  camera_off: boolean;
  may_leave: boolean;
}

/** What is another in a call: some of its fields. */
export interface DisplayCallChange {
  slots?: Record<string, string | null>;
  flows?: Record<string, Flow>;
  slides?: string[];
  lesson?: string;
  title?: string;
  epoch?: string;
  spread_ms?: number;
  whip?: MediaGrant;
  whep?: MediaGrant;
  screen?: ScreenGrant;
  sharing?: string | null;
  video?: number;
  audio?: number;
  rooms?: CallRoom[];
  layers?: Record<string, boolean>;
  mode?: Mode;
  floor?: string | null;
  speaking?: string | null;
  muted?: boolean;
  camera_off?: boolean;
  may_leave?: boolean;
}

export interface DisplayCredential {
  token: string;
}

/** Whether the room takes part in this lesson, as somebody in the room wants it. */
export interface DisplayPart {
  type: "part";
  lesson: string;
  present: boolean;
}

/**
 * What a display page says of itself over its WebSocket, every 2 s and at each change.
 *
 * `playing`: elements that show a moving picture. `frames_decoded`, `freezes`: of all received pictures, since the
 * page joined. `audio_energy`: WebRTC's totalAudioEnergy, summed over the received tracks. `send_round_trip_ms`: null
 * before the node has said it (RTCP receiver reports); `send_loss`: lost on the way to the node, 0 to 1. `concealed`:
 * share of the sound that the decoder made up of late. `cpu_slow`: the machine cannot decode all that it was sent: the
 * page has asked for less.
 */
export interface DisplayReport {
  type: "report";
  joined: boolean;
  camera: Camera;
  publishing: boolean;
  playing: number;
  frames_decoded: number;
  audio_energy: number;
  weak: boolean;
  send_round_trip_ms?: number | null;
  send_loss?: number | null;
  limited?: SendLimit;
  freezes?: number;
  concealed?: number;
  cpu_slow?: boolean;
}

/** What a room's display is to send in this lesson, as somebody in the room wants it. Left out: as it is. */
export interface DisplaySending {
  type: "sending";
  lesson: string;
  muted?: boolean | null;
  camera_off?: boolean | null;
}

/** Everything a paired display shall show and do. `time`: the controller's when it was read. */
export interface DisplayState {
  type: "state";
  time: string;
  display: string;
  room: Named;
  school: School;
  next: NextLesson | null;
  asking: AskingLesson | null;
  call: DisplayCall | null;
}

/** How far a site's display has come. */
export interface DisplayView {
  state: SiteDisplay;
  camera: Camera;
}

export type EndReason = "" | "tap" | "time" | "not_started";

/** A site now. Heights of pictures in lines, 0: none or not known. Losses: 0 to 1. */
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

/** `id`: of one that is there already; left out, one is made of the name. */
export interface FirstOrganisation {
  id?: string | null;
  kind?: OrganisationKind;
  name: string;
  province?: string;
}

/** A lease: the room is heard, and large for all others. */
export interface Floor {
  room: string;
  until: string;
}

/** `room`: null takes the floor back. `seconds`: from now on. */
export interface FloorGrant {
  room: string | null;
  seconds?: number;
}

/** How a slot's source reaches the subscriber now. */
export type Flow = "none" | "live" | "still" | "paused";

/** How far a property's value can be trusted. */
export type Freshness = "confirmed" | "assumed" | "stale" | "unknown";

export type GatewayName = "pjlink";

/** Shown this once. One of them: `password`, or `link`, a path on this address that is good until `expires`. */
export interface Given {
  password: string | null;
  link: string | null;
  expires: string | null;
}

/** A role, and where it is held. */
export interface HeldRole {
  role: Role;
  organisation: Named;
}

/** The first message; `time`: the controller's. What changed before is read by HTTP. */
export interface Hello {
  type: "hello";
  time: string;
}

/**
 * One value per step of `interval_s` from `start` on, null where nothing is known.
 *
 * Bit rates are averages; losses (0 to 1, before repair), times and words the worst of the step; freezes those in it.
 */
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

/** What a lesson is without the step. Nothing but a missing room stops a lesson; this says how loud to say it. */
export type Importance = "essential" | "useful" | "comfort";

/** Only an accepted room is used. Rooms of the host's own school are accepted from the beginning. */
export type InvitationState = "pending" | "accepted" | "declined" | "revoked" | "expired";

/** The type of a property's value. */
export type Kind = "bool" | "number" | "enum" | "text";

/** Of the pages that somebody is shown. */
export type Language = "vi" | "en";

/** `epoch`: which bridge of the lesson it is; another one: it goes on there; null: it has none. */
export interface Lesson {
  id: string;
  title: string;
  subject: string;
  kind: LessonKind;
  state: LessonState;
  start: string;
  end: string;
  started_at: string | null;
  ended_at: string | null;
  end_reason: EndReason;
  version: number;
  host: Named;
  can: Can;
  mode: Mode;
  floor: Floor | null;
  epoch: string | null;
  sites: SiteView[];
}

export interface LessonChanged {
  type: "lesson";
  lesson: Lesson;
}

/** What is left out stays as it is. */
export interface LessonEdit {
  title?: string | null;
  subject?: string | null;
  kind?: LessonKind | null;
  start?: string | null;
  end?: string | null;
  rooms?: string[] | null;
}

export type LessonKind = "lesson" | "meeting" | "training";

export interface LessonQuality {
  lesson: string;
  title: string;
  live: boolean;
  sites: SiteHistory[];
}

/** It is gone, or may no longer be seen. */
export interface LessonRemoved {
  type: "lesson_removed";
  id: string;
}

export type LessonState = "scheduled" | "live" | "ended" | "cancelled";

export interface Lessons {
  next: string | null;
  total: number | null;
  lessons: Lesson[];
}

export interface Link {
  token: string;
}

export interface Login {
  name: string;
  password: string;
}

/** `network`: the address it was made from, or its /64; "": not known. `mine`: this is the login that asks. */
export interface LoginView {
  id: string;
  begun: string;
  expires: string;
  network: string;
  mine: boolean;
}

export interface Logins {
  logins: LoginView[];
}

/**
 * `own_password_needed`: until then nothing else is answered. `administers`: accounts of some organisation.
 *
 * `operator`: may operate what all share, as bridge nodes and organisations at the top. `csrf`: null with an API
 * token, which needs none. `timezone`: IANA name; the person's days and times are in it.
 */
export interface Me {
  account: Account;
  roles: HeldRole[];
  operator: boolean;
  administers: boolean;
  own_password_needed: boolean;
  csrf: string | null;
  timezone: string;
}

/** Where to publish or play, and the short-lived token for it. The URL is a path on the controller's own address. */
export interface MediaGrant {
  url: string;
  token: string;
}

/** Who is heard, and who is large for the others. */
export type Mode = "teacher" | "called" | "discussion";

export interface ModeEdit {
  mode: Mode;
}

/**
 * A school's part of the broker, and how its devices come there.
 *
 * `discovery_prefix`: of Home Assistant discovery; `own_prefix`: of the native dialect. `ours`: its passwords are
 * issued here; `issued`: there is one.
 */
export interface MqttCorner {
  host: string;
  port: number;
  tls: boolean;
  reach: Reach;
  username: string;
  discovery_prefix: string;
  own_prefix: string;
  ours: boolean;
  issued: boolean;
}

/** A school's name and password at the broker; shown once. */
export interface MqttLogin {
  username: string;
  password: string;
}

/** What people call it, with its id. */
export interface Named {
  id: string;
  name: string;
}

/** `password`: left out, one is made. Whichever it is, the person must choose another at the first login. */
export interface NewAccount {
  name: string;
  display_name: string;
  password?: string | null;
  role: Role;
  organisation: string;
  language?: Language;
}

/** A device without MQTT. `host`: its IP address. `name`: "" for what it calls itself. */
export interface NewDevice {
  school: string;
  gateway: GatewayName;
  host: string;
  port?: number;
  password?: string | null;
  name?: string;
}

export interface NewDisplay {
  code: string;
  name: string;
}

export interface NewLesson {
  title: string;
  subject?: string;
  kind?: LessonKind;
  host: string;
  start: string;
  end: string;
  rooms: string[];
}

/** `id`: left out, one is made of the name. `parent`: a department; null: at the top. */
export interface NewOrganisation {
  id?: string | null;
  kind?: OrganisationKind;
  name: string;
  province?: string;
  parent?: string | null;
}

export interface NewRole {
  role: Role;
  organisation: string;
}

export interface NewRoom {
  school: string;
  name: string;
}

/** The lesson a display waits for. */
export interface NextLesson {
  title: string;
  start: string;
}

/** `cpu`: share of one core, 0 to 1; `capacity`: connections it takes at most, 0: any. */
export interface Node {
  name: string;
  state: NodeState;
  url: string | null;
  version: string;
  lessons: number;
  cpu: number;
  packets_in_per_s: number;
  packets_out_per_s: number;
  connections: number;
  capacity: number;
}

export interface NodeDuty {
  draining: boolean;
}

export interface NodeLease {
  lease_s: number;
  turn: NodeTurn | null;
}

/** What a node says of itself. `url`: where its control interface is reached from here. */
export interface NodeRegistration {
  name: string;
  url: string;
  node?: string;
  udp_port?: number;
  capacity?: number;
  version?: string;
}

export type NodeState = "starting" | "ready" | "draining" | "away" | "dead";

/** The TURN servers that the node's clients may use, and the secret that it makes their credentials of. */
export interface NodeTurn {
  urls: string[];
  secret: string;
  lifetime_s: number;
}

export interface Nodes {
  nodes: Node[];
}

export interface Organisation {
  id: string;
  parent: string | null;
  kind: OrganisationKind;
  name: string;
  province: string;
}

/** What is left out stays as it is. */
export interface OrganisationEdit {
  name?: string | null;
  province?: string | null;
}

export type OrganisationKind = "department" | "school";

export interface Organisations {
  next: string | null;
  total: number | null;
  organisations: Organisation[];
}

/** `current` may be left out where `own_password_needed` is true. */
export interface OwnPassword {
  current?: string | null;
  password: string;
}

/** The display has a room. `token`: to be exchanged for its cookie at `POST /display/credential`. */
export interface Paired {
  type: "paired";
  token: string;
}

/** What an unpaired display shows; a technician types it in. */
export interface PairingCode {
  type: "pairing";
  code: string;
  expires: string;
}

/** What the property was commanded to be, and how far that is. */
export interface Pending {
  value: boolean | number | string;
  state: CommandState;
}

/** Somebody is there; the answer is `Pong`. */
export interface Ping {
  type: "ping";
}

/** The answer to `Ping`; displays are sent one every 1.5 s in any case. */
export interface Pong {
  type: "pong";
}

/** `value`: the last reported one, null where there is none; `options`: of an enum, what it may be set to. */
export interface Property {
  name: string;
  capability: Capability;
  kind: Kind;
  unit: string;
  minimum: number | null;
  maximum: number | null;
  step: number | null;
  options: string[];
  settable: boolean;
  value: boolean | number | string | null;
  reported_at: string | null;
  quality: Freshness;
  pending: Pending | null;
}

export type Reach = "network" | "machine";

/**
 * A message that was not understood, or what a display asked for and cannot have. Three not understood: we close.
 *
 * `code`: of a problem (`/problems/…`), "later", or what is wrong with the message itself; `detail` says where.
 */
export interface Refusal {
  type: "error";
  code: string;
  detail: string;
}

/** `by`: a password that was made for the person, or a link that lets them in once. */
export interface Reset {
  by?: "password" | "link";
}

/** What somebody is at one organisation. `rooms/people/rights.py` says what it counts for, and how far. */
export type Role = "teacher" | "technician" | "administrator";

/** `scenes`: their names. `in_use_by`: the live lesson that has the room. */
export interface Room {
  id: string;
  name: string;
  version: number;
  school: School;
  devices: Device[];
  displays: Display[];
  scenes: string[];
  in_use_by: string | null;
}

export interface RoomChanged {
  type: "room";
  room: Room;
}

export interface RoomEdit {
  name: string;
}

export interface RoomRemoved {
  type: "room_removed";
  id: string;
}

export interface Rooms {
  next: string | null;
  total: number | null;
  rooms: Room[];
}

export interface Scene {
  name: string;
  version: number;
  steps: SceneStep[];
}

export interface SceneInput {
  name: string;
  version?: number;
  steps: SceneStepInput[];
}

export interface SceneStep {
  id: string;
  device: string;
  property: string;
  value: boolean | number | string;
  importance: Importance;
  deadline_s: number;
  after: string[];
  needs: string[];
}

export interface SceneStepInput {
  id: string;
  device: string;
  property: string;
  value: boolean | number | string;
  importance?: Importance;
  deadline_s?: number;
  after?: string[];
  needs?: string[];
}

export interface Scenes {
  scenes: Scene[];
}

export interface School {
  id: string;
  name: string;
  province: string;
}

/** `share`: names one share among all of this login, the same as long as it lasts. */
export interface Screen {
  share: string;
}

/**
 * To share a screen of a room, over a connection of its own.
 *
 * `client`: what the share is known by (`sharing`); `epoch`: of the bridge that it is for.
 */
export interface ScreenGrant {
  url: string;
  token: string;
  client: string;
  epoch: string;
}

/** Why a display's browser sends a smaller picture than it could (qualityLimitationReason of webrtc-stats). */
export type SendLimit = "none" | "cpu" | "bandwidth";

/** What is left out stays as it is. */
export interface Sending {
  muted?: boolean | null;
  camera_off?: boolean | null;
}

export interface Setup {
  token: string;
  name: string;
  display_name: string;
  password: string;
  organisation: FirstOrganisation;
}

/** `organisations`: those at the top that are there already; most often none. */
export interface SetupValid {
  valid: true;
  organisations: Organisation[];
}

/** Where the cause is to be looked for. */
export type Side = "none" | "site" | "bridge" | "others";

/** What a site's devices are doing for the lesson, derived from their steps. */
export type SiteDevices = "idle" | "preparing" | "ready" | "degraded" | "failed";

/** How far a site's display has come. */
export type SiteDisplay = "absent" | "connected" | "joining" | "joined";

/** `history`: null for a site that was never connected. */
export interface SiteHistory {
  room: Named;
  school: School;
  quality: SiteQuality | null;
  now: Figures | null;
  history: History | null;
}

/** How well a site's media arrive. */
export type SiteLink = "none" | "good" | "weak" | "lost";

/**
 * What the bridge node says of a site: is its picture and sound flowing, does it receive the others.
 *
 * `on_stage`: large for at least half of the other rooms; `heard`: sent to one of them at least. `sharing`: which of
 * its clients' screens is shared (`ScreenGrant.client`).
 */
export interface SiteMedia {
  video: boolean;
  audio: boolean;
  receiving: boolean;
  link: SiteLink;
  speaking: boolean;
  on_stage: boolean;
  heard: boolean;
  sharing: string | null;
}

/** One thing that is missing at a site. `device`: the name of the one concerned. */
export interface SiteProblem {
  code: SiteProblemCode;
  importance: Importance;
  device: string | null;
}

/** What is missing; pages have the words for each. */
export type SiteProblemCode = "device_refused" | "device_silent" | "device_offline" | "devices_unreached" | "step_skipped" | "switched_off" | "display_absent" | "camera_denied" | "camera_missing" | "no_video" | "no_audio" | "link_weak" | "link_lost";

/** What is said of a site: the word, and for all but good ones the cause and its side. */
export interface SiteQuality {
  word: Word;
  cause: Cause;
  side: Side;
}

/**
 * One room's part in a lesson, as it is now and as pages are sent it.
 *
 * `own`: whoever is shown it may answer for this room, and decide what it sends. `muted`, `camera_off`: what was
 * decided. `quality`: null before the site's first picture and sound, and outside live lessons.
 */
export interface SiteView {
  room: Named;
  school: School;
  invitation: InvitationState;
  reminded_at: string | null;
  own: boolean;
  muted: boolean;
  camera_off: boolean;
  ready: boolean;
  devices: DevicesView;
  display: DisplayView;
  media: SiteMedia;
  quality: SiteQuality | null;
  problems: SiteProblem[];
}

/** `who`: names of people of the account's own school, some of `count`. `lesson`: its title where it may be seen. */
export interface StartBlock {
  code: StartBlockCode;
  who: string[];
  count: number;
  at: string | null;
  room: string | null;
  lesson: string | null;
}

/** Why the account cannot start a scheduled lesson now; the first of these that holds. */
export type StartBlockCode = "not_yours" | "no_role" | "too_early" | "too_late" | "no_room" | "room_busy";

/** The device that a step is for. Where it is no longer known `name` is "" and `type` `other`. */
export interface StepDevice {
  id: string;
  name: string;
  type: DeviceType;
}

/** Where one step of a scene being applied is. The names of ends are those of a command's ends. */
export type StepState = "waiting" | "running" | "confirmed" | "assumed" | "failed" | "timed_out" | "expired" | "superseded" | "skipped" | "overridden";

/** One step of a scene on its way, with the device it is for and what that device says now. */
export interface StepView {
  id: string;
  device: StepDevice;
  property: string;
  value: boolean | number | string;
  importance: Importance;
  state: StepState;
  lost: boolean;
  code: string;
  since: string;
  deadline_s: number;
  reported: boolean | number | string | null;
  unit: string;
  command: CommandState | null;
  because: string | null;
}

/** A scene that was applied, as pages are sent it. */
export interface Steps {
  steps: StepView[];
}

export interface Suspension {
  suspended: boolean;
}

/** One API token of a person, as it is listed. */
export interface TokenView {
  id: string;
  name: string;
  created: string;
  expires: string | null;
}

export interface Tokens {
  tokens: TokenView[];
}

/** `view`: names one among all of this login, as each window has its own. */
export interface View {
  view: string;
}

/** A teacher's own view of a live lesson: play only. `video`, `audio`: receive slots to offer. */
export interface WatchGrant {
  whep: MediaGrant;
  epoch: string;
  video: number;
  audio: number;
}

/** Whose track each slot of one watch connection carries at present. `view`: which of the login's it is. */
export interface WatchSlots {
  slots: Record<string, string | null>;
  flows: Record<string, Flow>;
  slides: string[];
  type: "watch";
  lesson: string;
  view: string;
  epoch: string;
}

/** How the lesson is for a site, in one word for the teacher. */
export type Word = "good" | "weak" | "lost";

/** What the WebSocket /events sends. */
export type EventsSends = Hello | LessonChanged | DeviceChanged | RoomChanged | LessonRemoved | DeviceRemoved | RoomRemoved | WatchSlots | Pong | Refusal;

/** What the WebSocket /events takes. */
export type EventsTakes = Ping;

/** What the WebSocket /display/events sends. */
export type DisplayEventsSends = PairingCode | Paired | DisplayState | CallChange | Pong | Refusal;

/** What the WebSocket /display/events takes. */
export type DisplayEventsTakes = Ping | DisplayReport | DisplaySending | DisplayPart;
