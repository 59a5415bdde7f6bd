// A part of a list that the server sorts, searches and gives in pages; kept level by events.

import { get } from "../api/http";
import { after, folded, type Place } from "./places";

interface Page {
  next: string | null;
  total: number | null;
}

export interface LongListOptions<T> {
  /** Where it is read, perhaps with a query: "/devices?claimed=false". */
  path: string;
  /** The answer's field with the items. */
  field: string;
  place: (item: T) => Place;
  /** What the server searches. */
  text: (item: T) => string;
}

const joined = (path: string, query: URLSearchParams): string =>
  query.size === 0 ? path : `${path}${path.includes("?") ? "&" : "?"}${query}`;

export class LongList<T extends { id: string }> {
  items = $state.raw<readonly T[]>([]);
  total = $state(0);
  /** Whether there are items after those shown. */
  more = $state(false);
  q = $state("");
  /** What else the last page said. */
  last: Record<string, unknown> = {};
  private next: string | null = null;
  private asked = 0;
  private reading: Promise<void> = Promise.resolve();
  /** What events said since a reading began; null: gone. */
  private readonly heard = new Map<string, T | null>();

  constructor(private readonly options: LongListOptions<T>) {}

  /** Read again as much as is shown, or the first page of what is searched. Returns once the latest reading is shown. */
  read(): Promise<void> {
    return (this.reading = this.readAgain());
  }

  private async readAgain(): Promise<void> {
    const wanted = this.items.length;
    const q = this.q;
    const number = this.begin();
    const found: T[] = [];
    let cursor: string | null = null;
    do {
      const page: Page & Record<string, unknown> = await this.ask(q, cursor);
      if (number !== this.asked) return this.reading;
      found.push(...(page[this.options.field] as T[]));
      cursor = page.next;
      this.finish(page);
    } while (cursor !== null && found.length < wanted);
    this.show(found);
  }

  async readMore(): Promise<void> {
    if (this.next === null) return;
    const number = this.begin();
    const page = await this.ask(this.q, this.next);
    if (number !== this.asked) return;
    this.finish(page);
    const known = new Set(this.items.map((each) => each.id));
    this.show([...this.items, ...(page[this.options.field] as T[]).filter((each) => !known.has(each.id))]);
  }

  /** From the first page on. */
  async search(q: string): Promise<void> {
    this.q = q;
    this.items = [];
    await this.read();
  }

  get(id: string): T | undefined {
    return this.items.find((each) => each.id === id);
  }

  /** A new one is shown where it belongs, if that is among what is shown. */
  put(item: T): void {
    this.heard.set(item.id, item);
    const known = this.items.some((each) => each.id === item.id);
    const others = this.items.filter((each) => each.id !== item.id);
    const belongs = this.matches(item) && (this.next === null || this.isBefore(item, others.at(-1)));
    if (!known && !belongs) return;
    if (known !== belongs) this.total += belongs ? 1 : -1;
    this.items = belongs ? this.sorted([...others, item]) : others;
  }

  remove(id: string): void {
    this.heard.set(id, null);
    if (this.get(id) === undefined) return;
    this.items = this.items.filter((each) => each.id !== id);
    this.total -= 1;
  }

  private begin(): number {
    this.heard.clear();
    return ++this.asked;
  }

  private ask(q: string, cursor: string | null): Promise<Page & Record<string, unknown>> {
    const query = new URLSearchParams();
    if (q.trim() !== "") query.set("q", q.trim());
    if (cursor !== null) query.set("cursor", cursor);
    return get(joined(this.options.path, query));
  }

  private finish(page: Page & Record<string, unknown>): void {
    this.next = page.next;
    this.more = page.next !== null;
    this.total = page.total ?? 0;
    this.last = page;
  }

  private show(found: readonly T[]): void {
    this.items = found;
    for (const [id, item] of [...this.heard]) {
      if (item === null) this.remove(id);
      else this.put(item);
    }
  }

  private matches(item: T): boolean {
    const text = folded(this.options.text(item));
    return folded(this.q).split(" ").every((word) => text.includes(word));
  }

  private isBefore(item: T, last: T | undefined): boolean {
    return last !== undefined && after(this.options.place(last), this.options.place(item)) > 0;
  }

  private sorted(items: readonly T[]): readonly T[] {
    return [...items].sort((a, b) => after(this.options.place(a), this.options.place(b)));
  }
}

/** Every item of a list, page by page: for choices that need all of them. */
export async function readAll<T>(path: string, field: string, limit = 200): Promise<T[]> {
  const found: T[] = [];
  let cursor: string | null = null;
  do {
    const query = new URLSearchParams({ limit: `${limit}` });
    if (cursor !== null) query.set("cursor", cursor);
    const page: Page & Record<string, unknown> = await get(joined(path, query));
    found.push(...(page[field] as T[]));
    cursor = page.next;
  } while (cursor !== null);
  return found;
}
