import { expect, it } from "vitest";
import { shortSchool } from "./names";

it.each([
  ["Trường Tiểu học Nguyễn Viết Xuân", "Nguyễn Viết Xuân"],
  ["Trường THCS Lê Lợi", "Lê Lợi"],
  ["THPT Chuyên Phan Bội Châu", "Chuyên Phan Bội Châu"],
  ["Trường Trung học cơ sở và Trung học phổ thông Hoà Bình", "Hoà Bình"],
  ["Trường PTDTBT Tiểu học Mường Lống", "Mường Lống"],
  ["Trường A", "Trường A"],
  ["Sở Giáo dục và Đào tạo Nghệ An", "Sở Giáo dục và Đào tạo Nghệ An"],
])("%s: %s", (name, expected) => {
  expect(shortSchool(name)).toBe(expected);
});
