// A list kept level with the server: read whole, then changed by events, read whole again after a reconnect.

/** A whole list on its way. What events say meanwhile is newer than that list. */
export interface ListRead<T> {
  finish(list: readonly T[]): void;
}

const OPEN_LIMIT = 8;

export class SyncedList<T extends { id: string }> {
  private items = new Map<string, T>();
  private readonly open = new Set<Set<string>>();
  private asked = 0;
  private finished = 0;

  /** Call before asking for the whole list; an answer that a later one has overtaken changes nothing. */
  reading(): ListRead<T> {
    const order = ++this.asked;
    const touched = new Set<string>();
    if (this.open.size >= OPEN_LIMIT) this.open.clear(); // readings that failed never finish
    this.open.add(touched);
    return {
      finish: (list) => {
        this.open.delete(touched);
        if (order < this.finished) return;
        this.finished = order;
        this.replace(list, touched);
      },
    };
  }

  put(item: T): void {
    this.items.set(item.id, item);
    this.touch(item.id);
  }

  remove(id: string): void {
    this.items.delete(id);
    this.touch(id);
  }

  get(id: string): T | undefined {
    return this.items.get(id);
  }

  all(): T[] {
    return [...this.items.values()];
  }

  private touch(id: string): void {
    for (const touched of this.open) touched.add(id);
  }

  private replace(list: readonly T[], touched: ReadonlySet<string>): void {
    const next = new Map<string, T>();
    for (const item of list) {
      if (!touched.has(item.id)) next.set(item.id, item);
    }
    for (const id of touched) {
      const item = this.items.get(id);
      if (item !== undefined) next.set(id, item);
    }
    this.items = next;
  }
}
