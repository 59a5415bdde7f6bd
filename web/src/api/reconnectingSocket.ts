// A WebSocket that reconnects with capped random back-off: when it closes, and when it is silent for too long.

import { Backoff } from "./backoff";
import type { ClientMessage } from "./types";

export type SocketState = "connecting" | "open" | "waiting" | "stopped";

export interface SocketOptions {
  /** Path on this address, e.g. "/api/v1/events". */
  path: string;
  /** The socket reconnects after this long without a message; null: only when the connection ends. */
  silenceMs: number | null;
  onMessage(message: unknown): void;
  onState?(state: SocketState): void;
  /** The server closed with this code (4001: display removed). The socket reconnects all the same. */
  onClosed?(code: number): void;
}

const FIRST_WAIT_MS = 250;
const MAXIMUM_WAIT_MS = 2_000;
const OPEN_TIMEOUT_MS = 5_000;
const PING_EVERY_MS = 2_000;

export class ReconnectingSocket {
  private socket: WebSocket | null = null;
  private state: SocketState = "stopped";
  private readonly backoff = new Backoff(FIRST_WAIT_MS, MAXIMUM_WAIT_MS);
  private retry: ReturnType<typeof setTimeout> | undefined;
  private watch: ReturnType<typeof setInterval> | undefined;
  private heardAt = 0;

  constructor(private readonly options: SocketOptions) {}

  start(): void {
    if (this.state !== "stopped") return;
    addEventListener("online", this.hurry);
    this.connect();
  }

  stop(): void {
    removeEventListener("online", this.hurry);
    this.abandon();
    this.moveTo("stopped");
  }

  /** Returns whether the message was sent. A message is never queued: a later one carries the state of its own time. */
  send(message: ClientMessage): boolean {
    if (this.socket?.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify(message));
    return true;
  }

  /** Closes and reconnects at once, e.g. because the cookie has changed. */
  renew(): void {
    if (this.state === "stopped") return;
    this.abandon();
    this.connect();
  }

  private readonly hurry = (): void => {
    if (this.state === "waiting") this.renew();
  };

  private connect(): void {
    this.moveTo("connecting");
    const { protocol, host } = location;
    const socket = new WebSocket(`${protocol === "https:" ? "wss" : "ws"}://${host}${this.options.path}`);
    this.socket = socket;
    this.heardAt = performance.now();
    socket.onopen = () => {
      this.heardAt = performance.now();
      this.moveTo("open");
    };
    socket.onmessage = (event: MessageEvent<unknown>) => {
      this.heardAt = performance.now();
      this.backoff.reset();
      if (typeof event.data !== "string") return;
      let message: unknown;
      try {
        message = JSON.parse(event.data);
      } catch {
        return; // No message of the controller; the silence watch or the next message decides.
      }
      this.options.onMessage(message);
    };
    socket.onclose = (event) => {
      this.options.onClosed?.(event.code);
      if (this.socket === socket) this.lost();
    };
    this.watch = setInterval(() => {
      const silentMs = performance.now() - this.heardAt;
      const limitMs = socket.readyState === WebSocket.CONNECTING ? OPEN_TIMEOUT_MS : this.options.silenceMs;
      if (limitMs !== null && silentMs > limitMs) this.lost();
      else if (this.options.silenceMs !== null && silentMs > PING_EVERY_MS) this.send({ type: "ping" });
    }, 500);
  }

  private lost(): void {
    this.abandon();
    this.moveTo("waiting");
    this.retry = setTimeout(() => this.connect(), this.backoff.nextMs());
  }

  private abandon(): void {
    clearTimeout(this.retry);
    clearInterval(this.watch);
    const socket = this.socket;
    this.socket = null;
    if (socket === null) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  private moveTo(state: SocketState): void {
    if (this.state === state) return;
    this.state = state;
    this.options.onState?.(state);
  }
}
