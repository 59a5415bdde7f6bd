// The display's state and life cycle: its WebSocket, pairing, the call, reports, a shared screen.

import { ReconnectingSocket } from "../api/reconnectingSocket";
import type { DisplayCall, DisplayEvent, DisplayState } from "../api/types";
import { clock } from "../state/clock.svelte";
import type { Heights } from "../webrtc/layoutSender";
import { nowMs, statsOf } from "../webrtc/pageStats";
import { ScreenShare } from "../webrtc/screenShare.svelte";
import { CallClient, type CallState, NO_CALL } from "./call/callClient";
import { PendingChanges, type Sending } from "./call/pendingChanges";
import { PrewarmedPeers } from "./call/prewarmedPeers";
import { deviceIdOf, knownDevices, storedChoice } from "./capture/deviceChoice";
import { closeCapture, openCapture, switchCamera, withoutPicture } from "./capture/userMedia";
import { ScreenWakeLock } from "./wakeLock";

const REPORT_EVERY_MS = 2_000;
const SILENCE_MS = 5_000;
const OFFLINE_SHOWN_AFTER_MS = 2_000;
const REPEAT_AFTER_MS = 5_000;

export type DisplayMode = "connecting" | "pairing" | "paired";

export class DisplayPage {
  mode = $state<DisplayMode>("connecting");
  code = $state("");
  expires = $state("");
  codeEntered = $state(false); // a technician has entered the code
  offline = $state(false);
  state = $state.raw<DisplayState | null>(null);
  callState = $state.raw<CallState>(NO_CALL);
  unconfirmed = $state(false); // the server has not confirmed a change for a while
  returning = $state(false);
  decodingReduced = $state(false); // this machine is too slow for all pictures
  speaker = $state<string | null>(null);
  hasSecondCamera = $state(false); // chosen, and plugged in
  readonly sharing = new ScreenShare(() => this.state?.call?.screen ?? null);

  private readonly prewarmed = new PrewarmedPeers();
  private readonly changes = new PendingChanges();
  private serverState: DisplayState | null = null; // without pending changes
  private repeatTimer: ReturnType<typeof setTimeout> | undefined;
  private readonly call = new CallClient(
    {
      player: (video, audio) => this.prewarmed.player(video, audio),
      publisher: () => this.prewarmed.publisher(),
      open: (kept, secondCamera, picture) => openCapture(kept, secondCamera, picture),
      withoutPicture: (stream) => withoutPicture(stream),
      switchCamera: (stream, secondCamera) => switchCamera(stream, secondCamera),
      close: (stream, kept) => closeCapture(stream, kept),
      cores: navigator.hardwareConcurrency,
    },
    (callState) => this.callChanged(callState),
  );
  private readonly socket = new ReconnectingSocket({
    path: "/api/v1/display/events",
    silenceMs: SILENCE_MS,
    onMessage: (message) => this.onEvent(message as DisplayEvent),
    onState: (state) => this.socketChanged(state === "open"),
  });
  private readonly times: Record<string, number> = {};
  private reportTimer: ReturnType<typeof setInterval> | undefined;
  private offlineTimer: ReturnType<typeof setTimeout> | undefined;
  private lastSummary = "";
  private readonly wakeLock = new ScreenWakeLock();

  start(): void {
    this.socket.start();
    this.reportTimer = setInterval(() => this.everyReportInterval(), REPORT_EVERY_MS);
    addEventListener("pagehide", this.leave);
    addEventListener("pageshow", this.returned);
    (navigator.mediaDevices as MediaDevices | undefined)?.addEventListener("devicechange", this.devicesChanged);
    this.wakeLock.start();
    void this.readDevices();
    window.nhipcau = {
      stats: async () => {
        const { play, publish } = await this.call.samples();
        return statsOf("display", this.times, this.call.connectionStates, play, publish);
      },
    };
  }

  stop(): void {
    clearInterval(this.reportTimer);
    clearTimeout(this.offlineTimer);
    clearTimeout(this.repeatTimer);
    removeEventListener("pagehide", this.leave);
    removeEventListener("pageshow", this.returned);
    (navigator.mediaDevices as MediaDevices | undefined)?.removeEventListener("devicechange", this.devicesChanged);
    this.wakeLock.stop();
    this.socket.stop();
    this.sharing.stop();
    this.call.leave();
    this.prewarmed.close();
    delete window.nhipcau;
  }

  firstFrame(atMs: number): void {
    this.times.firstFrame ??= atMs;
    this.report(true);
  }

  devicesChosen(): void {
    void this.readDevices();
    this.call.captureChanged(true);
  }

  useCamera(secondCamera: boolean): void {
    void this.call.useCamera(secondCamera);
  }

  setSlotHeights(heights: Heights): void {
    this.call.setSlotHeights(heights);
  }

  /** Sets what this room sends: here at once, at the server as soon as it answers. */
  setSending(change: Sending): void {
    const lesson = this.state?.call?.lesson;
    if (lesson === undefined) return;
    this.changes.setSending(lesson, change);
    this.sendChanges();
  }

  leaveLesson(): void {
    const call = this.state?.call;
    if (call == null) return;
    this.changes.leave(call.lesson);
    this.sendChanges();
  }

  comeBack(): void {
    const asking = this.state?.asking;
    if (asking?.stepped_out !== true) return;
    this.changes.comeBack(asking.lesson);
    this.sendChanges();
  }

  private sendChanges(): void {
    if (this.serverState !== null) this.applyState(this.serverState);
    for (const each of this.changes.requests()) this.socket.send(each);
    this.repeatChanges();
  }

  /** Repeats the changes until the server confirms or refuses them. */
  private repeatChanges(): void {
    clearTimeout(this.repeatTimer);
    if (!this.changes.isPending) return;
    this.repeatTimer = setTimeout(() => {
      this.unconfirmed = this.changes.isPending;
      this.sendChanges();
    }, REPEAT_AFTER_MS);
  }

  private onEvent(event: DisplayEvent): void {
    switch (event.type) {
      case "pairing":
        this.code = event.code;
        this.expires = event.expires;
        this.codeEntered = false;
        this.mode = "pairing";
        this.state = this.serverState = null;
        this.call.setCall(null);
        break;
      case "paired":
        this.codeEntered = true;
        void this.storeCredential(event.token);
        break;
      case "state":
        clock.synchronise(event.time);
        this.applyState(event);
        break;
      case "call":
        if (this.serverState?.call) this.applyState({ ...this.serverState, call: { ...this.serverState.call, ...event.call } });
        break;
      case "error":
        if (event.code !== "later") this.discardChanges();
        break;
      default:
        break;
    }
  }

  private discardChanges(): void {
    this.changes.discard();
    if (this.serverState !== null) this.applyState(this.serverState);
  }

  private applyState(serverState: DisplayState): void {
    const before = this.state?.call ?? null;
    this.serverState = serverState;
    const state = this.changes.applyTo(serverState);
    this.returning = this.changes.isReturning;
    if (!this.changes.isPending) this.unconfirmed = false;
    this.state = state;
    this.mode = "paired";
    if (state.call !== null && (before?.lesson !== state.call.lesson || before.epoch !== state.call.epoch)) {
      this.times.callReceived = nowMs();
      delete this.times.firstFrame;
      delete this.times.joined;
    }
    this.call.setCall(state.call);
    this.applySharing(before, state.call);
    if (state.call === null) this.prewarmed.prepare();
  }

  private everyReportInterval(): void {
    this.report(true);
    if (this.callState.phase === "joined") this.prewarmed.prepare(); // in case the lesson moves to another bridge
  }

  private applySharing(before: DisplayCall | null, now: DisplayCall | null): void {
    if (now === null || before?.lesson !== now.lesson) this.sharing.stop();
    else this.sharing.refresh(now.screen);
    this.sharing.sharedBy(now?.sharing ?? null);
  }

  /** Exchanges the one-time token for a cookie, then reconnects as the paired display. */
  private async storeCredential(token: string): Promise<void> {
    try {
      await fetch("/api/v1/display/credential", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        credentials: "same-origin",
        body: JSON.stringify({ token }),
      });
    } catch {
      // After the reconnect there is a new code, and the technician can try again.
    }
    this.socket.renew();
  }

  private socketChanged(open: boolean): void {
    if (open) {
      clearTimeout(this.offlineTimer);
      this.offlineTimer = undefined;
      this.offline = false;
      this.report(true);
      for (const each of this.changes.requests()) this.socket.send(each);
      return;
    }
    this.call.controllerLost();
    // Each failed attempt to connect comes here: the time runs from the first one.
    this.offlineTimer ??= setTimeout(() => (this.offline = true), OFFLINE_SHOWN_AFTER_MS);
  }

  private callChanged(callState: CallState): void {
    this.callState = callState;
    if (callState.phase === "joined") this.times.joined ??= nowMs();
    // The call was abandoned, or ended: sharing ends with it.
    if (callState.phase === "idle") this.sharing.stop();
    this.report(false);
  }

  /** Reports changes at once, and everything every 2 s (`always`). */
  private report(always: boolean): void {
    if (this.mode !== "paired") return;
    const report = this.call.report();
    this.decodingReduced = report.cpu_slow;
    const summary = [report.joined, report.camera, report.publishing, report.playing, report.weak].join();
    if (!always && summary === this.lastSummary) return;
    if (this.socket.send(report)) this.lastSummary = summary;
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
    this.speaker = deviceIdOf(choice.speaker, devices, "audiooutput");
    this.hasSecondCamera = deviceIdOf(choice.second, devices, "videoinput") !== null;
  }
}
