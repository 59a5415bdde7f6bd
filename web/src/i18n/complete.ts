// Each code that the server may send has its words: `npm run check` fails here where one is missing.

import type {
  Availability,
  Capability,
  Cause,
  CommandCode,
  CommandState,
  DeviceType,
  Importance,
  LessonKind,
  LessonState,
  Mode,
  Role,
  SiteProblemCode,
  StartBlockCode,
} from "../api/contract";
import type { Words } from "./vi/words";

type Every<Code extends string> = Record<Code, unknown>;

/** Of whatever has words for all of them. */
type Complete<
  Table extends {
    availability: Every<Availability>;
    command: Every<CommandState>;
    connection: { cause: Every<Cause> };
    deviceType: Every<DeviceType>;
    failureCode: Every<CommandCode>;
    floor: Record<"mode" | "hint", Record<LessonKind, Every<Mode>>>;
    importance: Every<Importance>;
    lessonState: Every<LessonState>;
    people: { roleName: Every<Role>; roleHelp: Every<Role>; atDepartment: Every<Role> };
    problem: Every<SiteProblemCode>;
    property: Every<Exclude<Capability, "other">>;
    screen: { mode: Every<Mode> };
    today: { block: Every<StartBlockCode> };
  },
> = Table;

export type CompleteWords = Complete<Words>;
