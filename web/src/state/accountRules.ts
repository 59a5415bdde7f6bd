// What an account's fields may hold, in every form that asks for them; the server has the last word.

import {
  ACCOUNT_NAME_PATTERN,
  LONGEST_ACCOUNT_NAME,
  LONGEST_DISPLAY_NAME,
  LONGEST_ORGANISATION_NAME,
  LONGEST_PASSWORD,
  LONGEST_PROVINCE,
  SHORTEST_PASSWORD,
} from "../api/contract";
import type { AtField, Rule } from "./fault";

type Limits = Omit<Rule, "value">;

export const DISPLAY_NAME: Limits = { most: LONGEST_DISPLAY_NAME };
export const ACCOUNT_NAME: Limits = { most: LONGEST_ACCOUNT_NAME, pattern: new RegExp(ACCOUNT_NAME_PATTERN) };
export const NEW_PASSWORD: Limits = { exact: true, least: SHORTEST_PASSWORD, most: LONGEST_PASSWORD };
export const ORGANISATION_NAME: Limits = { most: LONGEST_ORGANISATION_NAME };
export const PROVINCE: Limits = { most: LONGEST_PROVINCE, optional: true };

export const AT_ACCOUNT: AtField = {
  "account-exists": ["name", "taken"],
  "weak-password": ["password", "easy"],
  "wrong-password": ["current", "wrong_password"],
};
