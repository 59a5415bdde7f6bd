import { describe, expect, it } from "vitest";
import { ApiError } from "./http";
import { retryUntilAnswered } from "./retry";

const none = new ApiError(0, "timeout");
const away = new ApiError(503, "node-unavailable");
const refused = new ApiError(409, "room-busy");

/** What happens, in order: "!" an attempt, "?" a call of `onUnanswered`, "." a pause. */
async function logOf(answers: readonly (ApiError | null)[], overAfter = Infinity): Promise<string> {
  let log = "";
  let attempts = 0;
  const attempt = (): Promise<void> => {
    log += "!";
    const answer = answers[attempts++] ?? null;
    return answer === null ? Promise.resolve() : Promise.reject(answer);
  };
  const wait = async (): Promise<void> => void (log += ".");
  await retryUntilAnswered(attempt, { isSettled: () => attempts > overAfter, onUnanswered: () => (log += "?"), pause: wait }).catch(
    (error: unknown) => (log += (error as ApiError).code),
  );
  return log;
}

describe("a request that is repeated until it is answered", () => {
  it("is sent again until it is answered, whatever the answer", async () => {
    expect(await logOf([null])).toBe("!");
    expect(await logOf([none, away, null])).toBe("!?.!?.!");
    expect(await logOf([none, refused])).toBe("!?.!room-busy");
  });

  it("is not sent again once it has come to pass, or is no longer wanted", async () => {
    expect(await logOf([none, none, none], 1)).toBe("!?.!");
    expect(await logOf([refused], 0)).toBe("!");
  });
});
