// A form that is checked by our own words: the browser would speak its own language, and only of the first field.

import { tick } from "svelte";
import { ApiError } from "../api/http";
import type { Words } from "../i18n/vi/words";
import { type Fault, faultsFromServer, faultsOf, type ProblemFields, type Rules } from "./fieldRules";

export class Form {
  sending = $state(false);
  /** What is wrong with the whole. */
  error = $state.raw<unknown>(null);
  private faults = $state<Record<string, Fault>>({});

  constructor(
    private readonly rules: Rules,
    private readonly problemFields: ProblemFields = {},
  ) {}

  /** Check the fields, then `send`. The first field that is wrong has the focus. */
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

  /** As when it was opened. */
  clear(): void {
    this.faults = {};
    this.error = null;
  }

  /** Somebody writes in the field: what was said of it is no longer so. */
  touched(field: string): void {
    delete this.faults[field];
  }

  /** What to say at the field; null: nothing. */
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
