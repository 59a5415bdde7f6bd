// Two apps: a room's display and the pages of people. The browser loads one of them, in one language.

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
  // Nobody is at a display to reload it, and a browser never retries a module that it could not load.
  parts.catch(() => setTimeout(() => location.reload(), AGAIN_MS));
  const [{ default: App }] = await parts;
  mount(App, { target });
}

async function shell(page: string): Promise<{ default: Component }> {
  if (page === "/display") return import("./display/Display.svelte");
  // The page's module is requested now, beside the frame's. The frame reports a failure.
  pageOf(page)?.load().catch(() => undefined);
  void login.ask();
  return import("./pages/Work.svelte");
}

const target = document.getElementById("app");
if (target === null) throw new Error("index.html has no #app");
void start(target);
