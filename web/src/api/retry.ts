// A request that may be sent more than once is sent until the server has answered it.

import { ApiError } from "./http";

const PAUSE_MS = 2_000;

/** Whether nobody knows what became of the request: it may yet be done. */
export const isUnanswered = (error: unknown): boolean =>
  error instanceof ApiError && (error.status === 0 || error.status === 503 || error.status === 504);

export interface RetryOptions {
  /** What is asked for has come to pass, or is no longer wanted. */
  isSettled(): boolean;
  /** Called each time nothing was answered. */
  onUnanswered(): void;
  pause?: () => Promise<void>;
}

/** Return once `attempt` has, or it is `isSettled`. Raises what the server answered. */
export async function retryUntilAnswered(attempt: () => Promise<void>, { isSettled, onUnanswered, pause = wait }: RetryOptions): Promise<void> {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (isSettled()) return;
      if (!isUnanswered(error)) throw error;
      onUnanswered();
    }
    await pause();
    if (isSettled()) return;
  }
}

const wait = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
