// Rooms with their devices, and the devices that are in no room yet.

import { ApiError, get, post, remove, request } from "../api/http";
import type { CommandResult, Device, DiscoveryProblem, Room, RoomDisplay, ServerEvent, Step, Value } from "../api/types";
import { LongList, readAll } from "./longList.svelte";
import { folded } from "./places";
import { SyncedStore } from "./syncedStore.svelte";

const at = encodeURIComponent;
/** The server answers once a command is final; a projector confirms only after its warm-up. */
const SLOW_S = 60;
const QUICK_S = 10;
const SCENE_TIMEOUT_MS = 180_000;

/** How long a command to this property may take. */
export const commandTimeoutS = (property: string): number => (/^(power|cover|climate)/.test(property) ? SLOW_S : QUICK_S);

class Rooms extends SyncedStore {
  /** By school and name; the server searches them, and gives them in pages. */
  readonly shown = new LongList<Room>({
    path: "/rooms",
    field: "rooms",
    place: (room) => [room.school.id, folded(room.name), room.id],
    text: (room) => `${room.name} ${room.school.name} ${room.school.id}`,
  });
  /** Devices that are in no room. */
  readonly found = new LongList<Device>({
    path: "/devices?claimed=false",
    field: "devices",
    place: (device) => [device.school, folded(device.name), device.id],
    text: (each) => [each.name, each.suggested_room, each.manufacturer, each.model, each.serial].join(" "),
  });
  problems = $state.raw<DiscoveryProblem[]>([]);
  /** The room that the address names, where it is not among those shown. */
  private named = $state.raw<Room | null>(null);
  private ofSchools = $state.raw<ReadonlyMap<string, readonly Room[]>>(new Map());

  get list(): readonly Room[] {
    return this.shown.items;
  }

  get inbox(): readonly Device[] {
    return this.found.items;
  }

  get(id: string): Room | undefined {
    return this.shown.get(id) ?? (this.named?.id === id ? this.named : undefined);
  }

  /** Have that room, wherever it stands in the list. */
  async open(id: string): Promise<void> {
    if (this.get(id) !== undefined) return;
    try {
      this.named = await get<Room>(`/rooms/${at(id)}`);
    } catch (error) {
      if (!(error instanceof ApiError && error.status === 404)) throw error;
      this.named = null;
    }
  }

  /** A school's rooms: for a device of it to be put into one. Asked for where not all rooms are shown. */
  ofSchool(school: string): readonly Room[] {
    const own = this.list.filter((room) => room.school.id === school);
    return this.shown.q === "" && !this.shown.more ? own : (this.ofSchools.get(school) ?? own);
  }

  async readSchool(school: string): Promise<void> {
    if ((this.shown.q === "" && !this.shown.more) || this.ofSchools.has(school)) return;
    const rooms = await readAll<Room>(`/rooms?school=${at(school)}`, "rooms", 50);
    this.ofSchools = new Map([...this.ofSchools, [school, rooms]]);
  }

  async command(device: Device, property: string, value: Value): Promise<CommandResult> {
    const timeoutS = commandTimeoutS(property);
    const body = { property, value, timeout_s: timeoutS };
    return post<CommandResult>(`/devices/${at(device.id)}/commands`, body, { timeoutMs: (timeoutS + 10) * 1000 });
  }

  async connect(device: { school: string; host: string; port: number; password: string | null; name: string }): Promise<void> {
    this.putDevice(await post<Device>("/devices", { gateway: "pjlink", ...device }));
  }

  async claim(device: string, room: string): Promise<void> {
    this.putDevice(await post<Device>(`/devices/${at(device)}/claim`, { room }));
  }

  async release(device: string): Promise<void> {
    this.putDevice(await post<Device>(`/devices/${at(device)}/release`));
  }

  async forget(device: string): Promise<void> {
    await remove(`/devices/${at(device)}`);
    this.found.remove(device);
  }

  async create(school: string, name: string): Promise<Room> {
    const room = await post<Room>("/rooms", { school, name });
    this.putRoom(room);
    return room;
  }

  async pair(room: string, code: string, name: string): Promise<void> {
    await post<RoomDisplay>(`/rooms/${at(room)}/displays`, { code, name });
    await this.refresh();
  }

  async unpair(display: string): Promise<void> {
    await remove(`/displays/${at(display)}`);
    await this.refresh();
  }

  async applyScene(room: string, name: string): Promise<Step[]> {
    const path = `/rooms/${at(room)}/scenes/${at(name)}/apply`;
    return (await request<{ steps: Step[] }>("POST", path, undefined, { timeoutMs: SCENE_TIMEOUT_MS })).steps;
  }

  protected async load(): Promise<void> {
    await Promise.all([this.shown.read(), this.found.read(), this.named === null ? null : this.reread(this.named.id)]);
    this.problems = (this.found.last.problems ?? []) as DiscoveryProblem[];
  }

  private async reread(id: string): Promise<void> {
    this.named = null;
    await this.open(id);
  }

  protected onEvent(event: ServerEvent): void {
    switch (event.type) {
      case "room":
        this.putRoom(event.room);
        break;
      case "room_removed":
        this.shown.remove(event.id);
        if (this.named?.id === event.id) this.named = null;
        break;
      case "device":
        this.putDevice(event.device);
        break;
      case "device_removed":
        this.found.remove(event.id);
        for (const room of this.holding(event.id)) this.putRoom(without(room, event.id));
        break;
      default:
        break;
    }
  }

  private putRoom(room: Room): void {
    this.shown.put(room);
    if (this.named?.id === room.id) this.named = room;
  }

  private putDevice(device: Device): void {
    if (device.room === null) this.found.put(device);
    else this.found.remove(device.id);
    for (const room of this.holding(device.id)) if (room.id !== device.room) this.putRoom(without(room, device.id));
    const room = device.room === null ? undefined : this.get(device.room);
    if (room !== undefined) this.putRoom({ ...room, devices: [...without(room, device.id).devices, device] });
  }

  private holding(device: string): Room[] {
    const rooms = this.named === null ? this.list : [...this.list, this.named];
    return rooms.filter((room) => room.devices.some((each) => each.id === device));
  }
}

const without = (room: Room, device: string): Room => ({ ...room, devices: room.devices.filter((each) => each.id !== device) });

/** A room's devices as they are shown: those that can be controlled come before those that only report. */
export const sortedDevices = (devices: readonly Device[]): Device[] =>
  [...devices].sort((a, b) => Number(usable(b)) - Number(usable(a)) || a.name.localeCompare(b.name, "vi") || (a.id < b.id ? -1 : 1));

const usable = (device: Device): boolean => device.properties.some((property) => property.settable);

export const rooms = new Rooms();
