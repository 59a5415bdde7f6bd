import { expect, it } from "vitest";
import { vi } from "../vi/words";
import { ageText, durationText } from "./time";

const NOW = Date.parse("2026-11-22T01:00:20Z");

it("tells ages and durations coarsely", () => {
  const ago = (seconds: number): string => ageText(vi, new Date(NOW - seconds * 1000).toISOString(), NOW);
  expect([2, 40, 150, 7200, 200_000].map(ago)).toEqual(["vừa xong", "40 giây trước", "3 phút trước", "2 giờ trước", "2 ngày trước"]);
  expect([20_000, 1_500_000, 3_900_000].map((ms) => durationText(vi, ms))).toEqual(["chưa đến 1 phút", "25 phút", "1 giờ 5 phút"]);
});
