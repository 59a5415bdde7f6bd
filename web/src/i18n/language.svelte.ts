// The chosen language and everything that depends on it alone: words, dates, the document's lang.

import type { Language } from "../api/types";
import { en } from "./en";
import { vi, type Words } from "./vi";

const STORED = "nhipcau.language";
const TABLES: Record<Language, Words> = { vi, en };
const LOCALES: Record<Language, string> = { vi: "vi-VN", en: "en-GB" };
/** One zone for the whole country; a room's PC may well be set to another. */
const ZONE = "Asia/Ho_Chi_Minh";

const known = (value: string | null | undefined): value is Language => value === "vi" || value === "en";

class LanguageChoice {
  private code = $state<Language>("vi");
  private readonly formats = $derived({
    time: new Intl.DateTimeFormat(LOCALES[this.code], { hour: "2-digit", minute: "2-digit", hour12: false, timeZone: ZONE }),
    day: new Intl.DateTimeFormat(LOCALES[this.code], {
      weekday: "long",
      day: "numeric",
      month: "long",
      year: "numeric",
      timeZone: ZONE,
    }),
    moment: new Intl.DateTimeFormat(LOCALES[this.code], {
      day: "2-digit",
      month: "2-digit",
      year: "numeric",
      hour: "2-digit",
      minute: "2-digit",
      hour12: false,
      timeZone: ZONE,
    }),
    number: new Intl.NumberFormat(LOCALES[this.code], { maximumFractionDigits: 1 }),
  });

  constructor() {
    const stored = localStorage.getItem(STORED);
    if (known(stored)) this.code = stored;
    document.documentElement.lang = this.code;
  }

  get current(): Language {
    return this.code;
  }

  get words(): Words {
    return TABLES[this.code];
  }

  /** The person's own choice on this machine. */
  choose(code: Language): void {
    localStorage.setItem(STORED, code);
    this.use(code);
  }

  /** The account's language, unless somebody chose another on this machine. */
  suggest(code: string): void {
    if (known(code) && !known(localStorage.getItem(STORED))) this.use(code);
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

  private use(code: Language): void {
    this.code = code;
    document.documentElement.lang = code;
  }
}

export const language = new LanguageChoice();
