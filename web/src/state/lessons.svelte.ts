// Today's lessons, and what a person does with them.

import { request } from "../api/http";
import { retryUntilAnswered } from "../api/retry";
import type { Lesson, Mode, ServerEvent } from "../api/types";
import { language } from "../i18n/language.svelte";
import { clock } from "./clock.svelte";
import { LongList } from "./longList.svelte";
import { StepDurations } from "./stepDurations";
import { SyncedStore } from "./syncedStore.svelte";
import { startOfDay } from "./zone";

/** What a room sends. A member that is absent stays as it is. */
export interface Sending {
  muted?: boolean;
  camera_off?: boolean;
}

const SLOW_MS = 5_000; // after this long without an answer, the page says that it repeats the request

export const durations = new StepDurations(localStorage);

class Lessons extends SyncedStore {
  /** By their start; the server searches them, and gives them in pages. */
  readonly shown = new LongList<Lesson>({
    path: "/lessons",
    field: "lessons",
    place: (lesson) => [new Date(lesson.start).toISOString(), lesson.id],
    text: (lesson) => `${lesson.title} ${lesson.subject} ${lesson.host.name} ${lesson.host.id}`,
  });
  readonly list = $derived(this.shown.items);

  readonly live = $derived(this.list.filter((lesson) => lesson.state === "live"));
  readonly upcoming = $derived(this.list.filter((lesson) => lesson.state === "scheduled"));
  readonly done = $derived(this.list.filter((lesson) => lesson.state === "ended" || lesson.state === "cancelled"));

  /** Lessons whose start has no answer yet; the request is repeated. */
  unansweredStarts = $state.raw<ReadonlySet<string>>(new Set());

  /** Repeats the request until it is answered: starting is idempotent. The caller ignores a second tap. */
  async startLesson(id: string): Promise<void> {
    let shown = false;
    const showRetrying = (): void => {
      shown = true;
      this.unansweredStarts = new Set([...this.unansweredStarts, id]);
    };
    const slow = setTimeout(showRetrying, SLOW_MS);
    try {
      await retryUntilAnswered(() => this.change("POST", id, "start"), {
        isSettled: () => this.shown.get(id)?.state !== "scheduled" || (shown && !this.unansweredStarts.has(id)),
        onUnanswered: () => {
          if (!shown) showRetrying();
        },
      });
    } finally {
      clearTimeout(slow);
      this.forgetStart(id);
    }
  }

  /** Stops repeating the request. The server may still carry out what it received. */
  forgetStart(id: string): void {
    this.unansweredStarts = new Set([...this.unansweredStarts].filter((each) => each !== id));
  }

  resumeLesson(id: string): Promise<void> {
    return this.change("POST", id, "resume");
  }

  endLesson(id: string): Promise<void> {
    return this.change("POST", id, "end");
  }

  answer(id: string, room: string, answer: "accept" | "decline"): Promise<void> {
    return this.change("POST", id, `sites/${encodeURIComponent(room)}/${answer}`);
  }

  /** Shows the invitation again at the school that has not answered. */
  remind(id: string, room: string): Promise<void> {
    return this.change("POST", id, `sites/${encodeURIComponent(room)}/remind`);
  }

  /** Sets what a room of the person's own school sends. */
  setSending(id: string, room: string, sending: Sending): Promise<void> {
    return this.change("PUT", id, `sites/${encodeURIComponent(room)}/sending`, sending);
  }

  /** Repeats a step that failed, or that somebody undid. */
  restore(id: string, room: string, step: string): Promise<void> {
    return this.change("POST", id, `sites/${encodeURIComponent(room)}/steps/${encodeURIComponent(step)}/restore`);
  }

  setMode(id: string, mode: Mode): Promise<void> {
    return this.change("PUT", id, "mode", { mode });
  }

  /** `room` null: nobody has the floor. `seconds`: from now on; absent: the usual time. */
  setFloor(id: string, room: string | null, seconds?: number): Promise<void> {
    return this.change("PUT", id, "floor", seconds === undefined ? { room } : { room, seconds });
  }

  private async change(method: "POST" | "PUT", id: string, what: string, body?: unknown): Promise<void> {
    this.put(await request<Lesson>(method, `/lessons/${encodeURIComponent(id)}/${what}`, body));
  }

  protected async load(): Promise<void> {
    await this.shown.read();
  }

  protected onEvent(event: ServerEvent): void {
    if (event.type === "lesson") this.put(event.lesson);
    else if (event.type === "lesson_removed") {
      this.shown.remove(event.id);
    }
  }

  private put(lesson: Lesson): void {
    // The WebSocket also carries lessons of other days.
    if (this.shown.get(lesson.id) === undefined && lesson.state !== "live" && !isNear(lesson, clock.now)) return;
    durations.learn(this.shown.get(lesson.id), lesson);
    this.shown.put(lesson);
  }
}

const isNear = (lesson: Lesson, now: number): boolean =>
  startOfDay(Date.parse(lesson.start), language.zone) === startOfDay(now, language.zone);

export const lessons = new Lessons();
