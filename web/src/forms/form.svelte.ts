// A form with our own messages: the browser's would be in its own language, and for the first field only.

import { tick } from "svelte";
import { ApiError } from "../api/http";
import type { Words } from "../i18n/vi/words";
import { type Fault, faultsFromServer, faultsOf, type ProblemFields, type Rules } from "./fieldRules";

export class Form {
  sending = $state(false);
  /** A failure that concerns the whole form. */
  error = $state.raw<unknown>(null);
  private faults = $state<Record<string, Fault>>({});

  constructor(
    private readonly rules: Rules,
    private readonly problemFields: ProblemFields = {},
  ) {}

  /** Checks the fields, then calls `send`. The first invalid field gets the focus. */
  async submit(event: SubmitEvent & { currentTarget: HTMLFormElement }, send: () => Promise<void>): Promise<void> {
    event.preventDefault();
    const form = event.currentTarget;
    if (this.sending) return;
    this.error = null;
    this.faults = faultsOf(this.rules);
    if (Object.keys(this.faults).length === 0) await this.attempt(send);
    await tick();
    form.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
  }

  /** Removes all messages. */
  clear(): void {
    this.faults = {};
    this.error = null;
  }

  /** Removes the field's message: its value has changed. */
  touched(field: string): void {
    delete this.faults[field];
  }

  /** The message beside the field; null: none. */
  fault(words: Words, field: string): string | null {
    const { fault: say } = words;
    switch (this.faults[field]) {
      case undefined:
        return null;
      case "too_short":
        return say.too_short(this.rules[field]?.minLength ?? 1);
      case "too_long":
        return say.too_long(this.rules[field]?.maxLength ?? 100);
      default:
        return say[this.faults[field] as Exclude<Fault, "too_short" | "too_long">];
    }
  }

  private async attempt(send: () => Promise<void>): Promise<void> {
    this.sending = true;
    try {
      await send();
    } catch (failure) {
      this.faults = failure instanceof ApiError ? faultsFromServer(failure, this.rules, this.problemFields) : {};
      this.error = Object.keys(this.faults).length === 0 ? failure : null;
    } finally {
      this.sending = false;
    }
  }
}
