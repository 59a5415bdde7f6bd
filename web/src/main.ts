// Two apps under one address: a room's display, and the pages of people. Each is loaded with the chosen language alone.

import { type Component, mount } from "svelte";
import { addressOf } from "./address";
import { language } from "./i18n/language.svelte";
import { pageOf } from "./pages/pages";
import { login } from "./state/login.svelte";
import "./styles/base.css";
import "./styles/work.css";

const AGAIN_MS = 5_000;

async function start(target: HTMLElement): Promise<void> {
  const parts = Promise.all([shell(addressOf(location.pathname)?.page ?? ""), language.load()]);
  // A display has nobody who would load it anew, and a browser asks for a part that it could not get only once.
  parts.catch(() => setTimeout(() => location.reload(), AGAIN_MS));
  const [{ default: App }] = await parts;
  mount(App, { target });
}

async function shell(page: string): Promise<{ default: Component }> {
  if (page === "/display") return import("./display/Display.svelte");
  // All that the page will need is asked for at once. What cannot be had is said by the frame.
  pageOf(page)?.load().catch(() => undefined);
  void login.ask();
  return import("./pages/Work.svelte");
}

const target = document.getElementById("app");
if (target === null) throw new Error("index.html has no #app");
void start(target);
