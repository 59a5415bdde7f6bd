import { expect, it } from "vitest";
import type { Problem } from "../../api/types";
import { vi } from "../vi/words";
import { problemText } from "./problem";

it("knows problems with and without a device, and shows a code it does not know", () => {
  const problem = (code: string, device: string | null): Problem => ({ code: code as Problem["code"], importance: "useful", device });
  expect(problemText(vi, problem("device_silent", "Loa"))).toBe("Loa không trả lời");
  expect(problemText(vi, problem("display_absent", null))).toBe("Màn hình phòng chưa bật hoặc mất mạng");
  expect(problemText(vi, problem("constructor", null))).toBe("Cần kiểm tra (constructor)");
  expect(problemText(vi, problem("novel", "Loa"))).toBe("Loa: cần kiểm tra (novel)");
});
