// Schools and departments, and where this person can add or rename them.

import { get, post, request } from "../api/http";
import type { Id, Organisation } from "../api/types";
import { login } from "./login.svelte";
import { treeLines } from "./organisationTree";
import { ADMINISTRATOR_SCOPE, reach } from "./roleScope";
import { SyncedStore } from "./syncedStore.svelte";

export interface NewOrganisation {
  kind: Organisation["kind"];
  name: string;
  province: string;
  parent: Id | null;
}

export class Organisations extends SyncedStore {
  mine = $state.raw<Organisation[]>([]);
  readonly branches = $derived(treeLines(this.mine));
  readonly departments = $derived(this.mine.filter((each) => each.kind === "department"));

  async add(organisation: NewOrganisation): Promise<void> {
    await post<Organisation>("/organisations", organisation);
    if (organisation.parent === null) await login.check(); // whoever adds it administers it
    await this.refresh();
  }

  async rename(id: Id, name: string, province: string): Promise<void> {
    const renamed = await request<Organisation>("PATCH", `/organisations/${id}`, { name, province });
    this.mine = this.mine.map((each) => (each.id === id ? renamed : each));
  }

  protected async read(): Promise<void> {
    const { organisations } = await get<{ organisations: Organisation[] }>("/organisations");
    this.mine = reach(organisations, login.me?.roles ?? [], ADMINISTRATOR_SCOPE);
  }

  /** The server tells of no changes to organisations. */
  protected take(): void {}
}
