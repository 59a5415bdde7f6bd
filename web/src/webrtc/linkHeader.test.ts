import { expect, it } from "vitest";
import { iceServers } from "./linkHeader";

const TURN =
  '<turn:turn.example.edu.vn:3478?transport=udp>; rel="ice-server"; username="1795300000:room-a"; credential="a+b/c="; credential-type="password"';

it("reads the ICE servers of Link headers, and nothing else", () => {
  const link = [TURN, '<https://a.example/x,y>; rel="next"', "<stun:a.example>; rel=ice-server", "<turn:b>; rel=ice-server"];
  expect(iceServers(link.join(", "))).toEqual([
    { urls: "turn:turn.example.edu.vn:3478?transport=udp", username: "1795300000:room-a", credential: "a+b/c=" },
    { urls: "stun:a.example" },
  ]);
  expect([iceServers(null), iceServers(""), iceServers("nonsense <")]).toEqual([[], [], []]);
});
