// Today's lessons as the server tells them.

import { request } from "../api/http";
import type { Lesson, Mode, ServerEvent } from "../api/types";
import { clock } from "./clock.svelte";
import { Durations } from "./durations";
import { insist } from "./insist";
import { LongList } from "./longList.svelte";
import { Reading } from "./reading.svelte";

/** What is left out stays as it is. */
export interface Sending {
  muted?: boolean;
  camera_off?: boolean;
}

const SLOW_MS = 5_000; // longer without an answer, and the page says what becomes of the tap

export const durations = new Durations(localStorage);

class Lessons extends Reading {
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

  /** Starts that the server has not answered: they are sent again until it has. */
  kept = $state.raw<ReadonlySet<string>>(new Set());

  /** Idempotent there, so it may be sent again; the caller keeps a second tap from being sent at all. */
  async startLesson(id: string): Promise<void> {
    let kept = false;
    const keep = (): void => {
      kept = true;
      this.kept = new Set([...this.kept, id]);
    };
    const slow = setTimeout(keep, SLOW_MS);
    try {
      await insist(() => this.change("POST", id, "start"), {
        over: () => this.shown.get(id)?.state !== "scheduled" || (kept && !this.kept.has(id)),
        unanswered: () => {
          if (!kept) keep();
        },
      });
    } finally {
      clearTimeout(slow);
      this.forgetStart(id);
    }
  }

  /** Do not send it again; what was sent may still come to pass. */
  forgetStart(id: string): void {
    this.kept = new Set([...this.kept].filter((each) => each !== id));
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

  /** Show the invitation again where nobody has answered. */
  remind(id: string, room: string): Promise<void> {
    return this.change("POST", id, `sites/${encodeURIComponent(room)}/remind`);
  }

  /** What a room of the person's own school lets the others hear and see. */
  setSending(id: string, room: string, sending: Sending): Promise<void> {
    return this.change("PUT", id, `sites/${encodeURIComponent(room)}/sending`, sending);
  }

  /** Have a step done again that somebody undid, or that failed. */
  restore(id: string, room: string, step: string): Promise<void> {
    return this.change("POST", id, `sites/${encodeURIComponent(room)}/steps/${encodeURIComponent(step)}/restore`);
  }

  setMode(id: string, mode: Mode): Promise<void> {
    return this.change("PUT", id, "mode", { mode });
  }

  /** `room` null: take the floor back. `seconds`: from now on; the usual time where it is left out. */
  setFloor(id: string, room: string | null, seconds?: number): Promise<void> {
    return this.change("PUT", id, "floor", seconds === undefined ? { room } : { room, seconds });
  }

  private async change(method: "POST" | "PUT", id: string, what: string, body?: unknown): Promise<void> {
    this.put(await request<Lesson>(method, `/lessons/${encodeURIComponent(id)}/${what}`, body));
  }

  protected async read(): Promise<void> {
    await this.shown.read();
  }

  protected take(event: ServerEvent): void {
    if (event.type === "lesson") this.put(event.lesson);
    else if (event.type === "lesson_removed") {
      this.shown.remove(event.id);
    }
  }

  private put(lesson: Lesson): void {
    // The WebSocket also tells of other days' lessons.
    if (this.shown.get(lesson.id) === undefined && lesson.state !== "live" && !isNear(lesson, clock.now)) return;
    durations.learn(this.shown.get(lesson.id), lesson);
    this.shown.put(lesson);
  }
}

const DAY_MS = 86_400_000;
const schoolDay = (at: number): number => Math.floor((at + 7 * 3_600_000) / DAY_MS); // UTC+7, the whole country

const isNear = (lesson: Lesson, now: number): boolean => schoolDay(Date.parse(lesson.start)) === schoolDay(now);

export const lessons = new Lessons();
