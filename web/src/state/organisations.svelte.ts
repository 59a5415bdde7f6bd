// Schools and departments, and where this person can add or rename them.

import { post, request } from "../api/http";
import type { Id, Organisation } from "../api/types";
import { login } from "./login.svelte";
import { LongList, readAll } from "./longList.svelte";
import { treeLines } from "./organisationTree";
import { folded } from "./places";
import { SyncedStore } from "./syncedStore.svelte";

export interface NewOrganisation {
  kind: Organisation["kind"];
  name: string;
  province: string;
  parent: Id | null;
}

export class Organisations extends SyncedStore {
  readonly shown = new LongList<Organisation>({
    path: "/organisations?administered=true",
    field: "organisations",
    place: (organisation) => [folded(organisation.name), organisation.id],
    text: (organisation) => `${organisation.name} ${organisation.id}`,
  });
  /** As far as it is shown. */
  readonly tree = $derived(treeLines(this.shown.items));
  departments = $state.raw<Organisation[]>([]);

  async add(organisation: NewOrganisation): Promise<void> {
    await post<Organisation>("/organisations", organisation);
    if (organisation.parent === null) await login.check(); // a top organisation gives its creator a role
    await this.refresh();
  }

  async rename(id: Id, name: string, province: string): Promise<void> {
    const renamed = await request<Organisation>("PATCH", `/organisations/${id}`, { name, province });
    this.shown.put(renamed);
  }

  protected async load(): Promise<void> {
    const departments = "/organisations?administered=true&kind=department";
    [this.departments] = await Promise.all([readAll<Organisation>(departments, "organisations"), this.shown.read()]);
  }

  /** The server sends no event about organisations. */
  protected onEvent(): void {}
}
