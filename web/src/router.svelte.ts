// The app's current address. Links are ordinary ones; a click on one changes the page without reloading the app.

import { addressOf } from "./address";

const DISPLAY = "/display"; // an app of its own, loaded when it is opened

interface Going {
  /** Replaces the present entry of the history, which would only lead back here. */
  replace?: boolean;
  /** Keeps the scroll position: only a part of the page changes. */
  still?: boolean;
}

class Router {
  path = $state(location.pathname);
  /** Null: the app has no such page. */
  readonly address = $derived(addressOf(this.path));

  constructor() {
    addEventListener("popstate", () => {
      this.path = location.pathname;
    });
    addEventListener("click", (event) => {
      if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return;
      const link = event.target instanceof Element ? event.target.closest("a") : null;
      if (link === null || link.origin !== location.origin || link.target !== "" || link.hasAttribute("download")) return;
      if (link.pathname === DISPLAY) return;
      event.preventDefault();
      this.go(link.pathname, { still: link.hasAttribute("data-still") });
    });
  }

  go(path: string, { replace = false, still = false }: Going = {}): void {
    if (replace) history.replaceState(null, "", path);
    else if (path !== location.pathname) history.pushState(null, "", path);
    this.path = location.pathname;
    if (!still) scrollTo(0, 0);
  }
}

export const router = new Router();
