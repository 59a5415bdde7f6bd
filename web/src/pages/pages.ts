// The pages by the first part of their addresses: the right that each needs, and its component, loaded when it is opened.

import type { Component } from "svelte";
import type { Words } from "../i18n/vi/words";

export type Values = Record<string, string>;

export interface Page {
  title: (words: Words) => string;
  load: () => Promise<{ default: Component<Values> }>;
  /** The label of its tab; absent: only links lead to the page. */
  tab?: (words: Words) => string;
  /** The page whose tab is current, where this one has no tab. */
  under?: string;
  /** The page needs no login. */
  open?: boolean;
  /** The right that a person needs; absent: every account has the page. */
  right?: "lessons" | "rooms" | "people" | "organisations";
}

const page = (load: () => Promise<unknown>): Page["load"] => load as Page["load"];

export const pages: Record<string, Page> = {
  "/login": { title: (words) => words.login.title, load: page(() => import("./Login.svelte")), open: true },
  "/setup": { title: (words) => words.setup.title, load: page(() => import("./Setup.svelte")), open: true },
  "/today": {
    title: (words) => words.today.title,
    load: page(() => import("./today/Today.svelte")),
    tab: (words) => words.nav.today,
    right: "lessons",
  },
  "/rooms": {
    title: (words) => words.rooms.title,
    load: page(() => import("./rooms/Rooms.svelte")),
    tab: (words) => words.nav.rooms,
    right: "rooms",
  },
  "/lessons": {
    title: (words) => words.connection.title,
    load: page(() => import("./quality/Lessons.svelte")),
    tab: (words) => words.nav.lessons,
    right: "rooms",
  },
  "/people": {
    title: (words) => words.people.title,
    load: page(() => import("./people/People.svelte")),
    tab: (words) => words.nav.people,
    right: "people",
  },
  "/audit": {
    title: (words) => words.audit.title,
    load: page(() => import("./people/Audit.svelte")),
    under: "/people",
    right: "people",
  },
  "/organisations": {
    title: (words) => words.organisations.title,
    load: page(() => import("./organisations/Organisations.svelte")),
    tab: (words) => words.nav.organisations,
    right: "organisations",
  },
  "/account": { title: (words) => words.account.title, load: page(() => import("./account/Account.svelte")) },
};

/** Replaces every other page until the person has chosen their own password. */
export const firstPassword: Page = {
  title: (words) => words.account.firstTitle,
  load: page(() => import("./account/FirstPassword.svelte")),
};

/** The page of a pattern in `pages.json`. */
export const pageOf = (pattern: string): Page | undefined => pages[`/${pattern.split("/")[1] ?? ""}`];
