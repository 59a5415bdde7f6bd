// Who is logged in on this page.

import { EQUIP_ROLES } from "../api/contract";
import { ApiError, me as readMe, post, setCsrf } from "../api/http";
import type { Me, Role } from "../api/types";
import { language } from "../i18n/language.svelte";

export type LoginState = "asking" | "in" | "out" | "unreachable";

class Login {
  state = $state<LoginState>("asking");
  me = $state.raw<Me | null>(null);
  private requestedPath: string | null = null;
  private hadLogin = false;

  async ask(): Promise<void> {
    this.state = "asking";
    try {
      this.accept(await readMe());
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) this.forget();
      else this.state = "unreachable";
    }
  }

  /** Checks that the login still holds. The page stays as it is while the server cannot be reached. */
  async check(): Promise<void> {
    try {
      this.accept(await readMe());
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) this.forget();
    }
  }

  accept(me: Me): void {
    this.me = me;
    this.hadLogin = true;
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

  /** Remembers the page that was opened before the login. Not after a logout: the next person wants another page. */
  remember(path: string): void {
    if (!this.hadLogin && path !== "/") this.requestedPath = path;
  }

  /** The page to open after the login: the one that was opened before it, once. */
  landing(): string {
    const path = this.requestedPath ?? this.home;
    this.requestedPath = null;
    return path;
  }

  /** The page that this person's roles need first. */
  get home(): string {
    return this.has("teacher") || !this.mayRooms ? "/today" : "/rooms";
  }
}

export const login = new Login();
