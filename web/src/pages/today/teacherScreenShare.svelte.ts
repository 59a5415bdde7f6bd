// Shares the teacher's screen for their room, until they stop it, the lesson ends, or another machine of the room shares. It
// goes on while they open other pages of the app.

import { untrack } from "svelte";
import { ApiError, post } from "../../api/http";
import type { Id, Lesson, ScreenGrant, ServerEvent } from "../../api/types";
import { events } from "../../state/events.svelte";
import { login } from "../../state/login.svelte";
import { ScreenShare } from "../../webrtc/screenShare.svelte";

const RENEW_EVERY_MS = 120_000; // a token is valid for five minutes

class TeacherScreenShare {
  lesson = $state<Id | null>(null);
  error = $state.raw<unknown>(null);
  readonly sharing = new ScreenShare(() => this.ask());
  private room: Id | null = null;
  private share = ""; // distinguishes this share from those of other windows of the same login

  constructor() {
    $effect.root(() => {
      $effect(() => (this.sharing.active ? untrack(() => this.hold()) : undefined));
      $effect(() => (this.sharing.active || this.sharing.replaced ? untrack(() => this.listen()) : undefined));
      $effect(() => {
        if (login.me === null) this.sharing.stop();
      });
    });
  }

  async start({ id, can }: Lesson): Promise<void> {
    this.lesson = id;
    this.room = can.share;
    this.share = crypto.randomUUID();
    this.error = null;
    await this.sharing.start();
  }

  /** Also while another machine shares, so that the page can say so until it stops. */
  private listen(): () => void {
    return events.listen((event) => this.take(event));
  }

  private hold(): () => void {
    const renewal = setInterval(() => void this.renew(), RENEW_EVERY_MS);
    addEventListener("pagehide", this.leave);
    return () => {
      clearInterval(renewal);
      removeEventListener("pagehide", this.leave);
    };
  }

  private take(event: ServerEvent): void {
    if (event.type === "lesson_removed" && event.id === this.lesson) this.sharing.stop();
    if (event.type !== "lesson" || event.lesson.id !== this.lesson) return;
    if (event.lesson.can.share !== this.room) this.sharing.stop();
    this.sharing.bridgeChanged(event.lesson.epoch);
    const site = event.lesson.sites.find((each) => each.room.id === this.room);
    this.sharing.sharedBy(site?.media.sharing ?? null);
  }

  private async renew(): Promise<void> {
    const grant = await this.ask();
    if (grant !== null) this.sharing.refresh(grant);
  }

  private async ask(): Promise<ScreenGrant | null> {
    try {
      return await post<ScreenGrant>(`/lessons/${encodeURIComponent(this.lesson ?? "")}/screen`, { share: this.share });
    } catch (error) {
      // The lesson is over, or this account may not share. Anything else is temporary.
      if (error instanceof ApiError && [401, 403, 404, 409].includes(error.status)) {
        this.sharing.stop();
        this.error = error;
      }
      return null;
    }
  }

  private readonly leave = (): void => this.sharing.stop(true);
}

export const teacherScreenShare = new TeacherScreenShare();
