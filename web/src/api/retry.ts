// Sends an idempotent request until the server has answered it.

import { ApiError } from "./http";

const PAUSE_MS = 2_000;

/** Whether the request has no answer: the server may still carry it out. */
export const isUnanswered = (error: unknown): boolean =>
  error instanceof ApiError && (error.status === 0 || error.status === 503 || error.status === 504);

export interface RetryOptions {
  /** Whether the request has taken effect, or is no longer wanted. */
  isSettled(): boolean;
  /** Called after each attempt without an answer. */
  onUnanswered(): void;
  pause?: () => Promise<void>;
}

/** Returns once `attempt` succeeds or `isSettled` is true. Raises the server's refusal. */
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
