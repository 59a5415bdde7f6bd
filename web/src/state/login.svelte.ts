// Who is logged in on this page.

import { EQUIP_ROLES } from "../api/contract";
import { ApiError, me as readMe, post, setCsrf } from "../api/http";
import type { Me, Role } from "../api/types";
import { language } from "../i18n/language.svelte";

export type LoginState = "asking" | "in" | "out" | "unreachable";

class Login {
  state = $state<LoginState>("asking");
  me = $state.raw<Me | null>(null);
  private wanted: string | null = null;
  private someone = false;

  async ask(): Promise<void> {
    this.state = "asking";
    try {
      this.accept(await readMe());
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) this.forget();
      else this.state = "unreachable";
    }
  }

  /** Whether the login still holds, without disturbing the page while the server cannot be reached. */
  async check(): Promise<void> {
    try {
      this.accept(await readMe());
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) this.forget();
    }
  }

  accept(me: Me): void {
    this.me = me;
    this.someone = true;
    setCsrf(me.csrf);
    language.suggest(me.account.language);
    language.zone = me.timezone;
    this.state = "in";
  }

  forget(): void {
    this.me = null;
    setCsrf("");
    this.state = "out";
  }

  async logout(): Promise<void> {
    try {
      await post("/logout");
    } finally {
      this.forget();
    }
  }

  has(role: Role): boolean {
    return this.me?.roles.some((each) => each.role === role) ?? false;
  }

  get mayRooms(): boolean {
    return EQUIP_ROLES.at.some((role) => this.has(role));
  }

  get mayLessons(): boolean {
    return this.has("teacher") || this.has("administrator") || !this.mayRooms;
  }

  get mayPeople(): boolean {
    return this.me?.administers ?? false;
  }

  get mayOrganisations(): boolean {
    return this.mayPeople || (this.me?.operator ?? false);
  }

  /** What was asked for before anybody was here. Not after a logout: the next person comes for something else. */
  remember(path: string): void {
    if (!this.someone && path !== "/") this.wanted = path;
  }

  /** Where to go after the login: to what was asked for before it, once. */
  landing(): string {
    const path = this.wanted ?? this.home;
    this.wanted = null;
    return path;
  }

  /** The page that this person needs first. */
  get home(): string {
    return this.has("teacher") || !this.mayRooms ? "/today" : "/rooms";
  }
}

export const login = new Login();
