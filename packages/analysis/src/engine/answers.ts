/** Answers awaited from something that may end before it gives them. */
export interface Answers {
  /** The answer, or a rejection with what `end` was told, at once where it has ended. */
  await<R>(work: Promise<R>): Promise<R>;
  end(why: unknown): void;
  /** There is a new one to await answers from. */
  renew(): void;
}

/**
 * Keeps no answer once it is given. `Promise.race` with a promise that lasts as long as the workers does: every race stays among that
 * promise's reactions, and with it every answer there ever was.
 */
export function createAnswers(): Answers {
  const waiting = new Set<(why: unknown) => void>();
  let ended: { why: unknown } | null = null;
  return {
    await: (work) =>
      new Promise((resolve, reject) => {
        if (ended) reject(ended.why);
        else waiting.add(reject);
        work.then(resolve, reject).finally(() => waiting.delete(reject));
      }),
    end(why) {
      ended = { why };
      for (const reject of waiting) reject(why);
    },
    renew() {
      ended = null;
    },
  };
}
