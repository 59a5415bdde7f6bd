// The accounts that an administrator manages, and the organisations where an account can have roles.

import { ApiError, get, post, put, remove } from "../api/http";
import type { AccountWithRoles, Given, Id, LoginView, NewAccount, Organisation, Role, TokenView } from "../api/types";
import { login } from "./login.svelte";
import { LongList, readAll } from "./longList.svelte";
import { folded } from "./places";
import { ADMINISTRATOR_SCOPE, organisationsInScope, schoolsUnder } from "./roleScope";
import { SyncedStore } from "./syncedStore.svelte";

export class People extends SyncedStore {
  readonly shown = new LongList<AccountWithRoles>({
    path: "/accounts",
    field: "accounts",
    place: (person) => [folded(`${person.display_name} ${person.name}`), person.id],
    text: (person) => `${person.display_name} ${person.name}`,
  });
  /** The person that the address names, where that is not among those shown. */
  private named = $state.raw<AccountWithRoles | null>(null);
  /** Organisations where this administrator can give roles. */
  organisations = $state.raw<Organisation[]>([]);
  private all = $state.raw<Organisation[]>([]);

  get list(): readonly AccountWithRoles[] {
    return this.shown.items;
  }

  get(id: string): AccountWithRoles | undefined {
    return this.shown.get(id) ?? (this.named?.id === id ? this.named : undefined);
  }

  /** Have that person, wherever they stand in the list. */
  async open(id: string): Promise<void> {
    if (this.shown.get(id) !== undefined) return;
    try {
      this.named = await get<AccountWithRoles>(`/accounts/${id}`);
    } catch (error) {
      if (!(error instanceof ApiError && error.status === 404)) throw error;
      this.named = null;
    }
  }

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
    this.replace(added.account);
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
    const [all] = await Promise.all([
      readAll<Organisation>("/organisations", "organisations"),
      this.shown.read(),
      this.named === null ? null : this.open(this.named.id),
    ]);
    this.all = all;
    this.organisations = organisationsInScope(all, login.me?.roles ?? [], ADMINISTRATOR_SCOPE);
  }

  /** The server sends no event about accounts: the page reloads them when it opens and after a reconnect. */
  protected onEvent(): void {}

  private replace(account: AccountWithRoles): void {
    this.shown.put(account);
    if (this.named?.id === account.id) this.named = account;
  }
}
