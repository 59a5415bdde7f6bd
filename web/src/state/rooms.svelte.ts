// Rooms with their devices, and the devices that are in no room yet.

import { get, post, remove, request } from "../api/http";
import type { CommandResult, Device, DiscoveryProblem, Room, RoomDisplay, ServerEvent, Step, Value } from "../api/types";
import { SyncedList } from "./syncedList";
import { SyncedStore } from "./syncedStore.svelte";

const at = encodeURIComponent;
/** The server answers once a command is final; a projector confirms only after its warm-up. */
const SLOW_S = 60;
const QUICK_S = 10;
const SCENE_TIMEOUT_MS = 180_000;

/** How long a command to this property may take. */
export const commandTimeoutS = (property: string): number => (/^(power|cover|climate)/.test(property) ? SLOW_S : QUICK_S);

class Rooms extends SyncedStore {
  list = $state.raw<Room[]>([]);
  inbox = $state.raw<Device[]>([]);
  problems = $state.raw<DiscoveryProblem[]>([]);
  private readonly rooms = new SyncedList<Room>();
  private readonly devices = new SyncedList<Device>();

  async command(device: Device, property: string, value: Value): Promise<CommandResult> {
    const timeoutS = commandTimeoutS(property);
    const body = { property, value, timeout_s: timeoutS };
    return post<CommandResult>(`/devices/${at(device.id)}/commands`, body, { timeoutMs: (timeoutS + 10) * 1000 });
  }

  async claim(device: string, room: string): Promise<void> {
    this.putDevice(await post<Device>(`/devices/${at(device)}/claim`, { room }));
  }

  async release(device: string): Promise<void> {
    this.putDevice(await post<Device>(`/devices/${at(device)}/release`));
  }

  async forget(device: string): Promise<void> {
    await remove(`/devices/${at(device)}`);
    this.devices.remove(device);
    this.show();
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
    const readingRooms = this.rooms.beginRead();
    const readingDevices = this.devices.beginRead();
    const [rooms, found] = await Promise.all([
      get<{ rooms: Room[] }>("/rooms"),
      get<{ devices: Device[]; problems: DiscoveryProblem[] }>("/devices?claimed=false"),
    ]);
    readingRooms.finish(rooms.rooms);
    readingDevices.finish([...rooms.rooms.flatMap((room) => room.devices), ...found.devices]);
    this.problems = found.problems;
    this.show();
  }

  protected onEvent(event: ServerEvent): void {
    switch (event.type) {
      case "room":
        this.putRoom(event.room);
        break;
      case "room_removed":
        this.rooms.remove(event.id);
        this.show();
        break;
      case "device":
        this.putDevice(event.device);
        break;
      case "device_removed":
        this.devices.remove(event.id);
        this.show();
        break;
      default:
        break;
    }
  }

  private putRoom(room: Room): void {
    this.rooms.put(room);
    for (const device of room.devices) this.devices.put(device);
    this.show();
  }

  private putDevice(device: Device): void {
    this.devices.put(device);
    this.show();
  }

  /** Device events are newer than a room's own copy of its devices, so the lists take devices by their ids. */
  private show(): void {
    const devices = this.devices.all().sort((a, b) => Number(usable(b)) - Number(usable(a)) || a.name.localeCompare(b.name, "vi"));
    this.list = this.rooms
      .all()
      .map((room) => ({ ...room, devices: devices.filter((device) => device.room === room.id) }))
      .sort((a, b) => a.school.name.localeCompare(b.school.name, "vi") || a.name.localeCompare(b.name, "vi"));
    this.inbox = devices.filter((device) => device.room === null);
  }
}

/** Devices that can be controlled come before those that only report. */
const usable = (device: Device): boolean => device.properties.some((property) => property.settable);

export const rooms = new Rooms();
