// The chosen language and what depends on it: words, dates, the document's `lang`.

import { DEFAULT_TIMEZONE } from "../api/contract";
import type { Language } from "../api/types";
import type { Words } from "./vi/words";

const STORED = "nhipcau.language";
/** A language's words are loaded when it is chosen. */
const TABLES: Record<Language, () => Promise<Words>> = {
  vi: async () => (await import("./vi/words")).vi,
  en: async () => (await import("./en/words")).en,
};
const LOCALES: Record<Language, string> = { vi: "vi-VN", en: "en-GB" };

const known = (value: string | null | undefined): value is Language => value === "vi" || value === "en";

class LanguageChoice {
  /** Of the times that are shown: the person's school's; a room's PC may well be set to another. */
  zone = $state(DEFAULT_TIMEZONE);
  private code = $state<Language>("vi");
  private table = $state.raw<Words | null>(null);
  private wanted: Language = "vi";
  private readonly formats = $derived({
    time: new Intl.DateTimeFormat(LOCALES[this.code], { hour: "2-digit", minute: "2-digit", hour12: false, timeZone: this.zone }),
    day: new Intl.DateTimeFormat(LOCALES[this.code], {
      weekday: "long",
      day: "numeric",
      month: "long",
      year: "numeric",
      timeZone: this.zone,
    }),
    moment: new Intl.DateTimeFormat(LOCALES[this.code], {
      day: "2-digit",
      month: "2-digit",
      year: "numeric",
      hour: "2-digit",
      minute: "2-digit",
      hour12: false,
      timeZone: this.zone,
    }),
    number: new Intl.NumberFormat(LOCALES[this.code], { maximumFractionDigits: 1 }),
  });

  constructor() {
    const stored = localStorage.getItem(STORED);
    if (known(stored)) this.code = this.wanted = stored;
  }

  /** Loads the words of the stored language, before anything is shown. */
  async load(): Promise<void> {
    await this.use(this.code);
  }

  get current(): Language {
    return this.code;
  }

  get words(): Words {
    if (this.table === null) throw new Error("nothing is shown before the words are there");
    return this.table;
  }

  /** Stores a person's choice on this machine. */
  choose(code: Language): void {
    localStorage.setItem(STORED, code);
    void this.use(code).catch(() => undefined); // the words could not be loaded: the page stays as it is
  }

  /** Uses the account's language, unless a person chose one on this machine. */
  suggest(code: string): void {
    if (known(code) && !known(localStorage.getItem(STORED))) void this.use(code).catch(() => undefined);
  }

  time(at: string | number | Date): string {
    return this.formats.time.format(new Date(at));
  }

  day(at: string | number | Date): string {
    const text = this.formats.day.format(new Date(at));
    return text.charAt(0).toUpperCase() + text.slice(1);
  }

  /** Date and time. */
  moment(at: string | number | Date): string {
    return this.formats.moment.format(new Date(at));
  }

  number(value: number): string {
    return this.formats.number.format(value);
  }

  private async use(code: Language): Promise<void> {
    this.wanted = code;
    const table = await TABLES[code]();
    if (this.wanted !== code) return; // another was chosen meanwhile
    this.table = table;
    this.code = code;
    document.documentElement.lang = code;
  }
}

export const language = new LanguageChoice();
