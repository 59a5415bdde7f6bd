// Schools and departments, and where this person can add or rename them.

import { get, post, request } from "../api/http";
import type { Id, Organisation } from "../api/types";
import { login } from "./login.svelte";
import { treeLines } from "./organisationTree";
import { ADMINISTRATOR_SCOPE, organisationsInScope } from "./roleScope";
import { SyncedStore } from "./syncedStore.svelte";

export interface NewOrganisation {
  kind: Organisation["kind"];
  name: string;
  province: string;
  parent: Id | null;
}

export class Organisations extends SyncedStore {
  list = $state.raw<Organisation[]>([]);
  readonly tree = $derived(treeLines(this.list));
  readonly departments = $derived(this.list.filter((each) => each.kind === "department"));

  async add(organisation: NewOrganisation): Promise<void> {
    await post<Organisation>("/organisations", organisation);
    if (organisation.parent === null) await login.check(); // a top organisation gives its creator a role
    await this.refresh();
  }

  async rename(id: Id, name: string, province: string): Promise<void> {
    const renamed = await request<Organisation>("PATCH", `/organisations/${id}`, { name, province });
    this.list = this.list.map((each) => (each.id === id ? renamed : each));
  }

  protected async load(): Promise<void> {
    const { organisations } = await get<{ organisations: Organisation[] }>("/organisations");
    this.list = organisationsInScope(organisations, login.me?.roles ?? [], ADMINISTRATOR_SCOPE);
  }

  /** The server sends no event about organisations. */
  protected onEvent(): void {}
}
