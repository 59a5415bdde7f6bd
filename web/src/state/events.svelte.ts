// The only WebSocket of the work pages. Stores listen to it; they reload their lists after each (re)connection.

import { ReconnectingSocket, type SocketState } from "../api/reconnectingSocket";
import type { ServerEvent } from "../api/types";
import { clock } from "./clock.svelte";
import { login } from "./login.svelte";

type Listener = (event: ServerEvent) => void;

const LOST_AFTER_MS = 1_500;
const LOGGED_OUT = 4401;
/** The page was too slow, or the person's roles have changed. */
const TRY_AGAIN = 1013;
/** A page cannot tell a refused handshake from a lost network: after this many tries it checks its login. */
const TRIES_BEFORE_ASKING = 3;

class Events {
  /** Shown to people only after a while: a quick reconnect does not concern them. */
  lost = $state(false);
  private readonly listeners = new Set<Listener>();
  private tries = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly socket = new ReconnectingSocket({
    path: "/api/v1/events",
    silenceMs: 12_000,
    onMessage: (message) => this.take(message as ServerEvent),
    onState: (state) => this.watch(state),
    onClosed: (code) => {
      if (code === LOGGED_OUT) login.forget();
      if (code === TRY_AGAIN) void login.check();
    },
  });

  listen(listener: Listener): () => void {
    if (this.listeners.size === 0) this.socket.start();
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
      if (this.listeners.size === 0) this.socket.stop();
    };
  }

  private take(event: ServerEvent): void {
    if (event.type === "hello") clock.synchronise(event.time);
    for (const listener of this.listeners) listener(event);
  }

  private watch(state: SocketState): void {
    if (state === "open") this.tries = 0;
    if (state === "waiting" && ++this.tries % TRIES_BEFORE_ASKING === 0) void login.check();
    if (state === "open" || state === "stopped") {
      clearTimeout(this.timer);
      this.timer = undefined;
      this.lost = false;
    } else if (this.timer === undefined) {
      this.timer = setTimeout(() => (this.lost = true), LOST_AFTER_MS);
    }
  }
}

export const events = new Events();
