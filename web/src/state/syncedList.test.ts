import { describe, expect, it } from "vitest";
import { SyncedList } from "./syncedList";

const item = (id: string, says: string): { id: string; says: string } => ({ id, says });

describe("a list in step with the server's", () => {
  it("takes what events said while the whole list was on its way as newer", () => {
    const list = new SyncedList<{ id: string; says: string }>();
    const reading = list.beginRead();
    list.put(item("a", "event"));
    list.remove("b");
    reading.finish([item("a", "list"), item("b", "list"), item("c", "list")]);
    expect(list.all()).toEqual([item("c", "list"), item("a", "event")]);
  });

  it("drops what the new whole list no longer has", () => {
    const list = new SyncedList<{ id: string; says: string }>();
    list.put(item("old", "event"));
    list.beginRead().finish([item("new", "list")]);
    expect(list.all()).toEqual([item("new", "list")]);
  });

  it("ignores an answer that a later one has overtaken", () => {
    const list = new SyncedList<{ id: string; says: string }>();
    const first = list.beginRead();
    const second = list.beginRead();
    second.finish([item("a", "second")]);
    first.finish([item("a", "first")]);
    expect(list.all()).toEqual([item("a", "second")]);
  });

  it("does not grow with readings that never finish", () => {
    const list = new SyncedList<{ id: string; says: string }>();
    for (let each = 0; each < 100; each += 1) list.beginRead();
    const last = list.beginRead();
    list.put(item("a", "event"));
    last.finish([item("a", "list")]);
    expect(list.get("a")).toEqual(item("a", "event"));
  });
});
