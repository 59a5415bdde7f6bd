import { describe, expect, it } from "vitest";
import type { Property } from "../../api/types";
import { propertyRows } from "./propertyRows";

const property = (name: string, settable: boolean): Property => ({ name, settable }) as Property;
const names = (properties: Property[]): (string | undefined)[][] => propertyRows(properties).map(({ main, beside }) => [main.name, beside?.name]);

describe("rows of a device", () => {
  it("have a cover and its position as one", () => {
    expect(names([property("health.battery", false), property("cover.position", true), property("cover", true)])).toEqual([
      ["cover", "cover.position"],
      ["health.battery", undefined],
    ]);
  });

  it("have a position alone where there is nothing that it belongs to", () => {
    expect(names([property("power", false), property("cover.position", true)])).toEqual([
      ["cover.position", undefined],
      ["power", undefined],
    ]);
  });
});
