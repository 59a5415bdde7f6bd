// The accounts that an administrator manages, and the organisations where an account can have roles.

import { get, post, put, remove } from "../api/http";
import type { AccountWithRoles, Given, Id, LoginView, NewAccount, Organisation, Role, TokenView } from "../api/types";
import { login } from "./login.svelte";
import { ADMINISTRATOR_SCOPE, organisationsInScope, schoolsUnder } from "./roleScope";
import { SyncedStore } from "./syncedStore.svelte";

export class People extends SyncedStore {
  list = $state.raw<AccountWithRoles[]>([]);
  /** Organisations where this administrator can give roles. */
  organisations = $state.raw<Organisation[]>([]);
  private all = $state.raw<Organisation[]>([]);

  /** At how many schools a role at this organisation counts. */
  schoolCount(organisation: Id): number {
    return schoolsUnder(this.all, organisation).length;
  }

  kindOf(organisation: Id): Organisation["kind"] {
    return this.all.find((each) => each.id === organisation)?.kind ?? "school";
  }

  /** Returns the password that the server generated for the new person. */
  async add(account: NewAccount): Promise<string | null> {
    const added = await post<{ account: AccountWithRoles; password: string | null }>("/accounts", account);
    this.show([...this.list, added.account]);
    return added.password;
  }

  async grant(account: Id, role: Role, organisation: Id): Promise<void> {
    this.replace(await post<AccountWithRoles>(`/accounts/${account}/roles`, { role, organisation }));
  }

  async takeRole(account: Id, role: Role, organisation: Id): Promise<void> {
    await remove(`/accounts/${account}/roles/${organisation}/${role}`);
    await this.refresh();
  }

  async suspend(account: Id, suspended: boolean): Promise<void> {
    this.replace(await put<AccountWithRoles>(`/accounts/${account}/suspended`, { suspended }));
  }

  async reset(account: Id, by: "password" | "link"): Promise<Given> {
    const given = await post<Given>(`/accounts/${account}/password`, { by });
    void this.refresh();
    return given;
  }

  async logins(account: Id): Promise<LoginView[]> {
    return (await get<{ logins: LoginView[] }>(`/accounts/${account}/logins`)).logins;
  }

  async endLogins(account: Id): Promise<void> {
    await remove(`/accounts/${account}/logins`);
  }

  async tokens(account: Id): Promise<TokenView[]> {
    return (await get<{ tokens: TokenView[] }>(`/accounts/${account}/tokens`)).tokens;
  }

  async revoke(account: Id, token: Id): Promise<void> {
    await remove(`/accounts/${account}/tokens/${token}`);
  }

  protected async load(): Promise<void> {
    const [found, all] = await Promise.all([
      get<{ accounts: AccountWithRoles[] }>("/accounts"),
      get<{ organisations: Organisation[] }>("/organisations"),
    ]);
    this.all = all.organisations;
    this.organisations = organisationsInScope(all.organisations, login.me?.roles ?? [], ADMINISTRATOR_SCOPE);
    this.show(found.accounts);
  }

  /** The server sends no event about accounts: the page reloads them when it opens and after a reconnect. */
  protected onEvent(): void {}

  private replace(account: AccountWithRoles): void {
    this.show([...this.list.filter((each) => each.id !== account.id), account]);
  }

  private show(list: AccountWithRoles[]): void {
    this.list = list.sort((a, b) => a.display_name.localeCompare(b.display_name, "vi") || (a.name < b.name ? -1 : 1));
  }
}
