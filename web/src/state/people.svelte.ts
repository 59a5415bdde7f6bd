// The accounts that an administrator looks after, and the organisations where new ones can be added.

import { get, post } from "../api/http";
import type { AccountWithRoles, NewAccount, Organisation } from "../api/types";
import { login } from "./login.svelte";
import { reach } from "./reach";
import { Reading } from "./reading.svelte";

export class People extends Reading {
  list = $state.raw<AccountWithRoles[]>([]);
  organisations = $state.raw<Organisation[]>([]);

  async add(account: NewAccount): Promise<void> {
    this.show([...this.list, await post<AccountWithRoles>("/accounts", account)]);
  }

  protected async read(): Promise<void> {
    const [found, all] = await Promise.all([
      get<{ accounts: AccountWithRoles[] }>("/accounts"),
      get<{ organisations: Organisation[] }>("/organisations"),
    ]);
    this.organisations = reach(all.organisations, login.me?.roles ?? [], ["administrator"]);
    this.show(found.accounts);
  }

  /** The server tells of no changes to accounts; they are read anew when the page is opened or the connection is back. */
  protected take(): void {}

  private show(list: AccountWithRoles[]): void {
    this.list = list.sort((a, b) => a.display_name.localeCompare(b.display_name, "vi") || (a.name < b.name ? -1 : 1));
  }
}
