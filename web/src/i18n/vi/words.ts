// Lời trên giao diện. Viết cho giáo viên: ngắn, rõ, không dùng từ kỹ thuật khi không cần.
// Mọi khoá phải có cả trong en/ (kiểu dữ liệu bắt buộc điều đó).

import { app } from "./app";
import { audit } from "./audit";
import { connection } from "./connection";
import { device } from "./device";
import { lesson } from "./lesson";
import { list } from "./list";
import { people } from "./people";
import { refusals } from "./refusals";
import { rooms } from "./rooms";
import { screen } from "./screen";
import { site } from "./site";
import { step } from "./step";

export const vi = {
  ...app,
  audit,
  ...connection,
  ...device,
  ...lesson,
  list,
  ...people,
  ...refusals,
  ...rooms,
  ...screen,
  ...site,
  ...step,
};

/** Hình dạng chung của mọi bảng lời. */
export type Words = typeof vi;
