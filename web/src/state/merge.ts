// A list kept level with the server: read whole once, then changed by events, read whole again after a reconnect.

/** Items by id. While a whole list is being read, what events say in the meantime is newer than that list. */
export class Level<T extends { id: string }> {
  private items = new Map<string, T>();
  private touched: Set<string> | null = null;

  /** Call before asking for the whole list. */
  reading(): void {
    this.touched = new Set();
  }

  /** Take in the list asked for after `reading()`. */
  replace(list: readonly T[]): void {
    const touched = this.touched ?? new Set<string>();
    const next = new Map<string, T>();
    for (const item of list) {
      if (!touched.has(item.id)) next.set(item.id, item);
    }
    for (const id of touched) {
      const item = this.items.get(id);
      if (item !== undefined) next.set(id, item);
    }
    this.items = next;
    this.touched = null;
  }

  put(item: T): void {
    this.items.set(item.id, item);
    this.touched?.add(item.id);
  }

  remove(id: string): void {
    this.items.delete(id);
    this.touched?.add(id);
  }

  get(id: string): T | undefined {
    return this.items.get(id);
  }

  all(): T[] {
    return [...this.items.values()];
  }
}
