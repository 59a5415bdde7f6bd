import { expect, it } from "vitest";
import { withSlidesContent } from "./contentAttribute";

it("names the picture of an offer a shared screen, and nothing else", () => {
  const offer = ["v=0", "m=audio 9 RTP 111", "a=mid:0", "m=video 9 RTP 96", "a=mid:1", "a=sendonly", ""];
  expect(withSlidesContent(offer.join("\r\n")).split("\r\n")).toEqual([...offer.slice(0, 5), "a=content:slides", ...offer.slice(5)]);
});
