import { expect, it } from "vitest";
import { reachableOrigin } from "./reachableOrigin";

it.each(["http://localhost:8080", "http://127.0.0.1:8080", "http://127.0.1.1", "https://[::1]:8443", "http://a.localhost", "http://0.0.0.0:8080", "http://[::]:8080"])("%s is of this machine alone", (origin) => {
  expect(reachableOrigin(origin)).toBeNull();
});

it.each(["https://nhipcau.truong.edu.vn", "http://192.168.1.10:8080", "https://[fd00::5]", "http://localhost.truong.vn"])("%s can be opened elsewhere", (origin) => {
  expect(reachableOrigin(origin)).toBe(origin);
});
