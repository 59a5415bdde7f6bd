// The display page's life: the WebSocket that says what to do, pairing, the call, reports, the wake lock.

import { ReconnectingSocket } from "../api/reconnectingSocket";
import type { DisplayCall, DisplayEvent, DisplayState } from "../api/types";
import { clock } from "../state/clock.svelte";
import type { Heights } from "../webrtc/layoutSender";
import { nowMs, statsOf } from "../webrtc/pageStats";
import { ScreenShare } from "../webrtc/screenShare.svelte";
import { Call, type CallState, NOTHING_RECEIVED } from "./call/callClient";
import { EVERYTHING } from "./call/cpuAdaptation";
import { type Sending, Wishes } from "./call/pendingChanges";
import { Warm } from "./call/prewarm";
import { idOf, knownDevices, storedChoice } from "./capture/deviceChoice";
import { closeCapture, openCapture, switchCamera, withoutPicture } from "./capture/userMedia";

const REPORT_EVERY_MS = 2_000;
const SILENCE_MS = 5_000;
const OFFLINE_SHOWN_AFTER_MS = 2_000;
const ASK_AGAIN_MS = 5_000;

export type ScreenMode = "connecting" | "pairing" | "paired";

export class Screen {
  mode = $state<ScreenMode>("connecting");
  code = $state("");
  expires = $state("");
  taken = $state(false); // a technician has entered the code
  offline = $state(false);
  state = $state.raw<DisplayState | null>(null);
  view = $state.raw<CallState>({
    phase: "idle",
    order: null,
    camera: "unknown",
    publishing: false,
    own: null,
    second: false,
    notSwitched: false,
    tracks: new Map(),
    received: NOTHING_RECEIVED,
    playing: 0,
    weak: false,
    caps: EVERYTHING,
  });
  untold = $state(false); // what the room wants and the server has not said yet, for longer than a moment
  comingBack = $state(false);
  slow = $state(false); // this machine cannot decode all that it could be sent
  speaker = $state<string | null>(null);
  twoCameras = $state(false); // a second one was chosen, and is plugged in
  readonly sharing = new ScreenShare(() => this.state?.call?.screen ?? null);

  private readonly warm = new Warm();
  private readonly wishes = new Wishes();
  private said: DisplayState | null = null; // by the server
  private askingAgain: ReturnType<typeof setTimeout> | undefined;
  private readonly call = new Call(
    {
      player: (video, audio) => this.warm.player(video, audio),
      publisher: () => this.warm.publisher(),
      open: (kept, second, picture) => openCapture(kept, second, picture),
      withoutPicture: (stream) => withoutPicture(stream),
      switchCamera: (stream, second) => switchCamera(stream, second),
      close: (stream, kept) => closeCapture(stream, kept),
      cores: navigator.hardwareConcurrency,
    },
    (view) => this.see(view),
  );
  private readonly socket = new ReconnectingSocket({
    path: "/api/v1/display/events",
    silenceMs: SILENCE_MS,
    onMessage: (message) => this.take(message as DisplayEvent),
    onState: (state) => this.watch(state === "open"),
  });
  private readonly times: Record<string, number> = {};
  private reporter: ReturnType<typeof setInterval> | undefined;
  private offlineTimer: ReturnType<typeof setTimeout> | undefined;
  private reported = "";
  private wakeLock: WakeLockSentinel | null = null;

  start(): void {
    this.socket.start();
    this.reporter = setInterval(() => this.everyWhile(), REPORT_EVERY_MS);
    addEventListener("pagehide", this.leave);
    addEventListener("pageshow", this.returned);
    document.addEventListener("visibilitychange", this.keepAwake);
    (navigator.mediaDevices as MediaDevices | undefined)?.addEventListener("devicechange", this.devicesChanged);
    this.keepAwake();
    void this.readDevices();
    window.nhipcau = {
      stats: async () => {
        const { play, publish } = await this.call.samples();
        return statsOf("display", this.times, this.call.states, play, publish);
      },
    };
  }

  stop(): void {
    clearInterval(this.reporter);
    clearTimeout(this.offlineTimer);
    clearTimeout(this.askingAgain);
    removeEventListener("pagehide", this.leave);
    removeEventListener("pageshow", this.returned);
    document.removeEventListener("visibilitychange", this.keepAwake);
    (navigator.mediaDevices as MediaDevices | undefined)?.removeEventListener("devicechange", this.devicesChanged);
    this.wakeLock?.removeEventListener("release", this.keepAwake);
    void this.wakeLock?.release();
    this.socket.stop();
    this.sharing.stop();
    this.call.leave();
    this.warm.close();
    delete window.nhipcau;
  }

  firstFrame(atMs: number): void {
    this.times.firstFrame ??= atMs;
    this.report(true);
  }

  captureChosen(): void {
    void this.readDevices();
    this.call.captureChanged(true);
  }

  useCamera(second: boolean): void {
    void this.call.useCamera(second);
  }

  show(heights: Heights): void {
    this.call.show(heights);
  }

  /** What the others are to hear and see of this room: it holds here at once, and at the server as soon as that answers. */
  setSending(change: Sending): void {
    const lesson = this.state?.call?.lesson;
    if (lesson === undefined) return;
    this.wishes.send(lesson, change);
    this.ask();
  }

  leaveLesson(): void {
    const call = this.state?.call;
    if (call == null) return;
    this.wishes.leave(call.lesson);
    this.ask();
  }

  comeBack(): void {
    const asking = this.state?.asking;
    if (asking?.stepped_out !== true) return;
    this.wishes.comeBack(asking.lesson);
    this.ask();
  }

  private ask(): void {
    if (this.said !== null) this.follow(this.said);
    for (const each of this.wishes.asks()) this.socket.send(each);
    this.askAgain();
  }

  /** Until the server says the same, or refuses. */
  private askAgain(): void {
    clearTimeout(this.askingAgain);
    if (!this.wishes.open) return;
    this.askingAgain = setTimeout(() => {
      this.untold = this.wishes.open;
      this.ask();
    }, ASK_AGAIN_MS);
  }

  private take(event: DisplayEvent): void {
    switch (event.type) {
      case "pairing":
        this.code = event.code;
        this.expires = event.expires;
        this.taken = false;
        this.mode = "pairing";
        this.state = this.said = null;
        this.call.want(null);
        break;
      case "paired":
        this.taken = true;
        void this.accept(event.token);
        break;
      case "state":
        clock.synchronise(event.time);
        this.follow(event);
        break;
      case "call":
        if (this.said?.call) this.follow({ ...this.said, call: { ...this.said.call, ...event.call } });
        break;
      case "error":
        if (event.code !== "later") this.forgetWishes();
        break;
      default:
        break;
    }
  }

  private forgetWishes(): void {
    this.wishes.drop();
    if (this.said !== null) this.follow(this.said);
  }

  private follow(said: DisplayState): void {
    const before = this.state?.call ?? null;
    this.said = said;
    const state = this.wishes.over(said);
    this.comingBack = this.wishes.comingBack;
    if (!this.wishes.open) this.untold = false;
    this.state = state;
    this.mode = "paired";
    if (state.call !== null && (before?.lesson !== state.call.lesson || before.epoch !== state.call.epoch)) {
      this.times.callReceived = nowMs();
      delete this.times.firstFrame;
      delete this.times.joined;
    }
    this.call.want(state.call);
    this.followSharing(before, state.call);
    if (state.call === null) this.warm.prepare();
  }

  private everyWhile(): void {
    this.report(true);
    if (this.view.phase === "joined") this.warm.prepare(); // for another bridge, should it come to that
  }

  private followSharing(before: DisplayCall | null, now: DisplayCall | null): void {
    if (now === null || before?.lesson !== now.lesson) this.sharing.stop();
    else this.sharing.refresh(now.screen);
    this.sharing.sharedBy(now?.sharing ?? null);
  }

  /** Turns the one-time token into this browser's cookie, then connects again as that display. */
  private async accept(token: string): Promise<void> {
    try {
      await fetch("/api/v1/display/credential", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        credentials: "same-origin",
        body: JSON.stringify({ token }),
      });
    } catch {
      // Connecting again shows a new code, and the technician can try once more.
    }
    this.socket.renew();
  }

  private watch(open: boolean): void {
    if (open) {
      clearTimeout(this.offlineTimer);
      this.offlineTimer = undefined;
      this.offline = false;
      this.report(true);
      for (const each of this.wishes.asks()) this.socket.send(each);
      return;
    }
    this.call.controllerLost();
    // Each try to connect comes through here: the time runs from the first one that failed.
    this.offlineTimer ??= setTimeout(() => (this.offline = true), OFFLINE_SHOWN_AFTER_MS);
  }

  private see(view: CallState): void {
    this.view = view;
    if (view.phase === "joined") this.times.joined ??= nowMs();
    // Neither controller nor bridge for long: the call was given up, and with it what was shared.
    if (view.phase === "idle") this.sharing.stop();
    this.report(false);
  }

  /** At each change of what matters, and always every 2 s. */
  private report(always: boolean): void {
    if (this.mode !== "paired") return;
    const report = this.call.report();
    this.slow = report.cpu_slow;
    const gist = [report.joined, report.camera, report.publishing, report.playing, report.weak].join();
    if (!always && gist === this.reported) return;
    if (this.socket.send(report)) this.reported = gist;
  }

  private readonly leave = (): void => {
    this.sharing.stop(true);
    this.call.leave();
  };

  private readonly returned = (event: PageTransitionEvent): void => {
    if (event.persisted) location.reload(); // connections do not survive the back/forward cache
  };

  private readonly devicesChanged = (): void => {
    void this.readDevices();
    this.call.captureChanged();
  };

  private async readDevices(): Promise<void> {
    const [choice, devices] = [storedChoice(), await knownDevices()];
    this.speaker = idOf(choice.speaker, devices, "audiooutput");
    this.twoCameras = idOf(choice.second, devices, "videoinput") !== null;
  }

  /** Asked for again when the page is seen again, and when the system took it away. */
  private readonly keepAwake = (): void => {
    const held = this.wakeLock !== null && !this.wakeLock.released;
    if (held || document.visibilityState !== "visible" || !("wakeLock" in navigator)) return;
    navigator.wakeLock.request("screen").then(
      (lock) => {
        this.wakeLock = lock;
        lock.addEventListener("release", this.keepAwake, { once: true });
      },
      () => undefined, // low battery or not allowed: the system's own settings decide
    );
  };
}
