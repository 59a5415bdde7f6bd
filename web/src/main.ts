// Two apps under one address: a room's display, and the pages of people. Each is loaded with the chosen language alone.

import { type Component, mount } from "svelte";
import { addressOf } from "./address";
import { language } from "./i18n/language.svelte";
import { pageOf } from "./pages/pages";
import "./styles/base.css";
import "./styles/work.css";

const AGAIN_MS = 5_000;

async function start(target: HTMLElement): Promise<void> {
  const address = addressOf(location.pathname);
  const shell: Promise<{ default: Component }> =
    address?.page === "/display" ? import("./display/Display.svelte") : import("./pages/Work.svelte");
  pageOf(address?.page ?? "")?.load().catch(() => undefined); // on its way while the frame is; the frame says a failure
  const [{ default: App }] = await Promise.all([shell, language.load()]);
  mount(App, { target });
}

const target = document.getElementById("app");
if (target === null) throw new Error("index.html has no #app");
// A display has nobody who would load it anew, and a browser asks for a part that it could not get only once.
start(target).catch(() => setTimeout(() => location.reload(), AGAIN_MS));
