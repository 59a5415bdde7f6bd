// The controller's types by the names that the app has for them. `contract.ts` has all of them, and comes from the server.

import type * as served from "./contract";

export type {
  AccountWithRoles,
  AuditEntry,
  Availability,
  CallRoom,
  Camera,
  Cause,
  CommandResult,
  CommandState,
  Device,
  DisplayCall,
  DiscoveryProblem,
  DisplayState,
  Figures,
  Floor,
  Flow,
  Given,
  History,
  Importance,
  Language,
  Lesson,
  LessonKind,
  LessonQuality,
  LessonState,
  LoginView,
  Mode,
  MqttCorner,
  MqttLogin,
  Organisation,
  Property,
  Role,
  Room,
  Scene,
  SceneStep,
  School,
  ScreenGrant,
  SendLimit,
  SiteHistory,
  SiteQuality,
  StartBlock,
  StepState,
  TokenView,
  Word,
} from "./contract";
export type {
  AskingLesson as Asking,
  DisplayEventsSends as DisplayEvent,
  Display as RoomDisplay,
  EventsSends as ServerEvent,
  Freshness as Quality,
  MediaGrant as Grant,
  SiteDevices as DevicesState,
  SiteDisplay as DisplayPresence,
  SiteLink as MediaLink,
  SiteProblem as Problem,
  SiteView as Site,
  StepView as Step,
  WatchGrant as Watch,
} from "./contract";

export type Id = string;
export type Value = boolean | number | string;

/** Of a login, which always has its token; a program that asks by an API token has none. */
export type Me = served.Me & { csrf: string };

/** An account to be added. The server makes its password. */
export type NewAccount = Pick<served.NewAccount, "name" | "display_name" | "role" | "organisation">;

/** Which room each receive slot (by its mid) carries; null: nobody at present. */
export type Slots = served.DisplayCall["slots"];

/** What the receive slots of one connection carry. */
export type Received = Pick<served.DisplayCall, "slots" | "flows" | "slides">;

/** What the app sends over one of its WebSockets. */
export type ClientMessage = served.EventsTakes | served.DisplayEventsTakes;

/** Our page knows all of it. */
export type DisplayReport = Required<served.DisplayReport>;
