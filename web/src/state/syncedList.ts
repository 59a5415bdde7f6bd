// A list in step with the server's: read whole, then changed by events, and read whole again after a reconnect.

/** A whole list that was requested. Events that arrive meanwhile are newer than the list. */
export interface ListRead<T> {
  finish(list: readonly T[]): void;
}

const MAX_OPEN_READS = 8;

export class SyncedList<T extends { id: string }> {
  private items = new Map<string, T>();
  private readonly openReads = new Set<Set<string>>();
  private started = 0;
  private finished = 0;

  /** Call before requesting the whole list. An answer that a later one has overtaken is ignored. */
  beginRead(): ListRead<T> {
    const number = ++this.started;
    const changed = new Set<string>();
    if (this.openReads.size >= MAX_OPEN_READS) this.openReads.clear(); // a read that failed never finishes
    this.openReads.add(changed);
    return {
      finish: (list) => {
        this.openReads.delete(changed);
        if (number < this.finished) return;
        this.finished = number;
        this.replace(list, changed);
      },
    };
  }

  put(item: T): void {
    this.items.set(item.id, item);
    this.markChanged(item.id);
  }

  remove(id: string): void {
    this.items.delete(id);
    this.markChanged(id);
  }

  get(id: string): T | undefined {
    return this.items.get(id);
  }

  all(): T[] {
    return [...this.items.values()];
  }

  private markChanged(id: string): void {
    for (const changed of this.openReads) changed.add(id);
  }

  private replace(list: readonly T[], changed: ReadonlySet<string>): void {
    const next = new Map<string, T>();
    for (const item of list) {
      if (!changed.has(item.id)) next.set(item.id, item);
    }
    for (const id of changed) {
      const item = this.items.get(id);
      if (item !== undefined) next.set(id, item);
    }
    this.items = next;
  }
}
