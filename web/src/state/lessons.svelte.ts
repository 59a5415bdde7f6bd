// Today's lessons as the server tells them.

import { get, post, put } from "../api/http";
import type { Lesson, Mode, ServerEvent } from "../api/types";
import { clock } from "./clock.svelte";
import { Durations } from "./durations";
import { Level } from "./merge";
import { Reading } from "./reading.svelte";

export const durations = new Durations(localStorage);

class Lessons extends Reading {
  list = $state.raw<Lesson[]>([]);
  private readonly level = new Level<Lesson>();

  readonly live = $derived(this.list.filter((lesson) => lesson.state === "live"));
  readonly upcoming = $derived(this.list.filter((lesson) => lesson.state === "scheduled"));
  readonly done = $derived(this.list.filter((lesson) => lesson.state === "ended" || lesson.state === "cancelled"));

  /** Idempotent there; the caller keeps a second tap from being sent at all. */
  async startLesson(id: string): Promise<void> {
    this.put(await post<Lesson>(`/lessons/${encodeURIComponent(id)}/start`));
  }

  async endLesson(id: string): Promise<void> {
    this.put(await post<Lesson>(`/lessons/${encodeURIComponent(id)}/end`));
  }

  async answer(id: string, room: string, answer: "accept" | "decline"): Promise<void> {
    this.put(await post<Lesson>(`/lessons/${encodeURIComponent(id)}/sites/${encodeURIComponent(room)}/${answer}`));
  }

  async setMode(id: string, mode: Mode): Promise<void> {
    this.put(await put<Lesson>(`/lessons/${encodeURIComponent(id)}/mode`, { mode }));
  }

  /** `room` null: take the floor back. `seconds`: from now on; the usual time where it is left out. */
  async setFloor(id: string, room: string | null, seconds?: number): Promise<void> {
    const body = seconds === undefined ? { room } : { room, seconds };
    this.put(await put<Lesson>(`/lessons/${encodeURIComponent(id)}/floor`, body));
  }

  protected async read(): Promise<void> {
    const reading = this.level.reading();
    reading.finish((await get<{ lessons: Lesson[] }>("/lessons")).lessons);
    this.show();
  }

  protected take(event: ServerEvent): void {
    if (event.type === "lesson") this.put(event.lesson);
    else if (event.type === "lesson_removed") {
      this.level.remove(event.id);
      this.show();
    }
  }

  private put(lesson: Lesson): void {
    // The WebSocket also tells of other days' lessons.
    if (this.level.get(lesson.id) === undefined && lesson.state !== "live" && !isNear(lesson, clock.now)) return;
    durations.learn(this.level.get(lesson.id), lesson);
    this.level.put(lesson);
    this.show();
  }

  private show(): void {
    this.list = this.level.all().sort((a, b) => Date.parse(a.start) - Date.parse(b.start) || (a.id < b.id ? -1 : 1));
  }
}

const DAY_MS = 86_400_000;
const schoolDay = (at: number): number => Math.floor((at + 7 * 3_600_000) / DAY_MS); // UTC+7, the whole country

const isNear = (lesson: Lesson, now: number): boolean => schoolDay(Date.parse(lesson.start)) === schoolDay(now);

export const lessons = new Lessons();
