import type { Words } from "../vi/words";
import { app } from "./app";
import { audit } from "./audit";
import { connection } from "./connection";
import { device } from "./device";
import { lesson } from "./lesson";
import { list } from "./list";
import { people } from "./people";
import { refusals } from "./refusals";
import { rooms } from "./rooms";
import { screen } from "./screen";
import { site } from "./site";
import { step } from "./step";

export const en: Words = {
  ...app,
  audit,
  ...connection,
  ...device,
  ...lesson,
  list,
  ...people,
  ...refusals,
  ...rooms,
  ...screen,
  ...site,
  ...step,
};
