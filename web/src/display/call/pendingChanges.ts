// Optimistic updates: what somebody in the room changed and the server has not confirmed yet. A change holds at once: a class
// that mutes itself does not wait for the network. Pure.

import type { DisplayState, Id } from "../../api/types";

export interface Sending {
  muted?: boolean;
  camera_off?: boolean;
}

/** A message to the server. */
export type ChangeRequest = ({ type: "sending"; lesson: Id } & Sending) | { type: "part"; lesson: Id; present: boolean };

export class PendingChanges {
  private lesson: Id | null = null;
  private sending: Sending = {};
  private present: boolean | null = null;
  private leaving = false; // the server has not confirmed yet that the room left

  /** Whether the server has yet to confirm a change. */
  get isPending(): boolean {
    return this.present !== null || Object.keys(this.sending).length > 0;
  }

  get isReturning(): boolean {
    return this.present === true;
  }

  setSending(lesson: Id, change: Sending): void {
    this.selectLesson(lesson);
    this.sending = { ...this.sending, ...change };
  }

  leave(lesson: Id): void {
    this.selectLesson(lesson);
    this.present = false;
    this.leaving = true;
  }

  comeBack(lesson: Id): void {
    this.selectLesson(lesson);
    this.present = true;
  }

  /** The server refused: its own state holds. */
  discard(): void {
    this.lesson = null;
    this.sending = {};
    this.present = null;
    this.leaving = false;
  }

  /** The messages to send, and to repeat after each reconnect. */
  requests(): ChangeRequest[] {
    if (this.lesson === null) return [];
    const { lesson, sending, present } = this;
    return [
      ...(Object.keys(sending).length > 0 ? [{ type: "sending" as const, lesson, ...sending }] : []),
      ...(present === null ? [] : [{ type: "part" as const, lesson, present }]),
    ];
  }

  /** The server's state with the pending changes. Changes that the server's state already has are no longer pending. */
  applyTo(state: DisplayState): DisplayState {
    const { call, asking } = state;
    if (call === null || call.lesson !== this.lesson) {
      this.leaving = false;
      const out = asking?.lesson === this.lesson && asking?.stepped_out === true;
      if (this.present !== true || !out) this.discard();
      return state;
    }
    if (this.present === true && !this.leaving) this.present = null;
    this.sending = Object.fromEntries(
      Object.entries(this.sending).filter(([name, value]) => call[name as keyof Sending] !== value),
    ) as Sending;
    if (this.present !== null) {
      const { title } = call;
      return { ...state, call: null, asking: { lesson: call.lesson, title, host: "", stepped_out: true, reminded_at: null } };
    }
    return { ...state, call: { ...call, ...this.sending } };
  }

  private selectLesson(lesson: Id): void {
    if (this.lesson !== lesson) this.discard();
    this.lesson = lesson;
  }
}
