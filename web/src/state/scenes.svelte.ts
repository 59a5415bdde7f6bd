// The scenes of one room, with their steps. Reloaded at each event about the room.

import { get, post } from "../api/http";
import type { Scene, ServerEvent } from "../api/types";
import { SyncedStore } from "./syncedStore.svelte";

export class Scenes extends SyncedStore {
  list = $state.raw<Scene[]>([]);
  private requested = 0;

  constructor(private readonly room: string) {
    super();
  }

  /** Creates the missing scenes from the room's devices. Returns how many there are beside `known`. */
  async suggest(known: readonly string[]): Promise<number> {
    this.requested += 1; // the answer to an earlier request is older than this one
    this.list = (await post<{ scenes: Scene[] }>(`${this.path}/suggest`)).scenes;
    this.state = "ready";
    return this.list.filter((scene) => !known.includes(scene.name)).length;
  }

  protected async load(): Promise<void> {
    const number = ++this.requested;
    const { scenes } = await get<{ scenes: Scene[] }>(this.path);
    if (number === this.requested) this.list = scenes;
  }

  protected onEvent(event: ServerEvent): void {
    if (event.type === "room" && event.room.id === this.room) void this.refresh();
  }

  private get path(): string {
    return `/rooms/${encodeURIComponent(this.room)}/scenes`;
  }
}
