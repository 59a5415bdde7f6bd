import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { LongList, readAll } from "./longList.svelte";

interface Item {
  id: string;
  name: string;
}
const item = (name: string): Item => ({ id: name, name });

/** A server with these items, two a page. */
let items: string[] = [];
let asked: string[] = [];
let before: () => void = () => undefined;

function answer(path: string): Response {
  asked.push(path);
  const query = new URL(path, "http://server").searchParams;
  const found = items.filter((each) => each.includes(query.get("q") ?? "")).sort();
  const start = found.findIndex((each) => each > (query.get("cursor") ?? ""));
  const part = start < 0 ? [] : found.slice(start, start + 2);
  const last = part.at(-1);
  const next = last !== undefined && found.indexOf(last) < found.length - 1 ? last : null;
  before();
  return Response.json({ things: part.map(item), next, total: found.length });
}

const list = (): LongList<Item> =>
  new LongList<Item>({ path: "/things", field: "things", place: (each) => [each.name, each.id], text: (each) => each.name });
const names = (of: LongList<Item>): string[] => of.items.map((each) => each.name);

beforeEach(() => {
  items = ["b", "d", "f", "h", "j"];
  asked = [];
  before = () => undefined;
  vi.stubGlobal("fetch", (path: string) => Promise.resolve(answer(path)));
});
afterEach(() => vi.unstubAllGlobals());

describe("a long list", () => {
  it("is read page by page, and again as far as it is shown", async () => {
    const things = list();
    await things.read();
    expect([names(things), things.total, things.more]).toEqual([["b", "d"], 5, true]);
    await things.readMore();
    items = ["a", ...items];
    await things.read();
    expect([names(things), things.total]).toEqual([["a", "b", "d", "f"], 6]);
    await things.readMore();
    expect([names(things), things.more]).toEqual([["a", "b", "d", "f", "h", "j"], false]);
  });

  it("shows a new one where it belongs, and none that belongs to a later page", async () => {
    const things = list();
    await things.read();
    things.put(item("c"));
    things.put(item("e"));
    expect([names(things), things.total]).toEqual([["b", "c", "d"], 6]);
    items = ["b", "c", "d", "e", "f", "h", "j"];
    await things.readMore();
    things.remove("c");
    things.remove("unknown");
    expect([names(things), things.total]).toEqual([["b", "d", "e", "f"], 6]);
  });

  it("keeps to what is searched", async () => {
    const things = list();
    items = ["ba", "bb", "c"];
    await things.search("b");
    expect([names(things), things.total]).toEqual([["ba", "bb"], 2]);
    things.put(item("cc"));
    things.put(item("Bà"));
    expect(names(things)).toContain("Bà");
    expect(names(things)).not.toContain("cc");
    expect(asked).toEqual(["/api/v1/things?q=b"]);
  });

  it("knows better than an answer what was said while it was on its way", async () => {
    const things = list();
    before = () => {
      things.put(item("a"));
      things.remove("b");
    };
    await things.read();
    expect(names(things)).toEqual(["a", "d"]);
  });
});

it("a reading that a later one has overtaken ends with that", async () => {
  const things = list();
  const first = things.read();
  items = ["x"];
  const second = things.read();
  await first;
  expect(names(things)).toEqual(["x"]);
  await second;
});

it("a whole list is read to its end", async () => {
  expect(await readAll<Item>("/things?kind=school", "things")).toEqual(items.map(item));
  expect(asked[1]).toBe("/api/v1/things?kind=school&limit=200&cursor=d");
});
