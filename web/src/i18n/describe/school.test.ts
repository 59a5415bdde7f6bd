import { expect, it } from "vitest";
import { shortSchoolName } from "./school";

it.each([
  ["Trường Tiểu học Nguyễn Viết Xuân", "Nguyễn Viết Xuân"],
  ["Trường THCS Lê Lợi", "Lê Lợi"],
  ["THPT Chuyên Phan Bội Châu", "Chuyên Phan Bội Châu"],
  ["Trường Trung học cơ sở và Trung học phổ thông Hoà Bình", "Hoà Bình"],
  ["Trường PTDTBT Tiểu học Mường Lống", "Mường Lống"],
  ["Trường TH&THCS Tân Long", "Tân Long"],
  ["Trường THCS&THPT Nguyễn Khuyến", "Nguyễn Khuyến"],
  ["Trường TH - THCS và THPT Chu Văn An", "Chu Văn An"],
  ["Trường Phổ thông dân tộc bán trú Tiểu học Nậm Nhừ", "Nậm Nhừ"],
  ["Trường PTDTBT TH&THCS Nà Khoa", "Nà Khoa"],
  ["Trường Phổ thông liên cấp Nguyễn Siêu", "Nguyễn Siêu"],
  ["Trường Phổ thông dân tộc nội trú", "Trường Phổ thông dân tộc nội trú"],
  ["Trường A", "Trường A"],
  ["Sở Giáo dục và Đào tạo Nghệ An", "Sở Giáo dục và Đào tạo Nghệ An"],
])("%s: %s", (name, expected) => {
  expect(shortSchoolName(name)).toBe(expected);
});
