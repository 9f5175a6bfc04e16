import { type CallContext, createInlineEngine, exposeCalls, tendencyOfFile } from '@epochscope/analysis';
import type { TendencyMetric } from '@epochscope/analysis/methods';
import type { TendencyResult } from '@epochscope/analysis/results';

// A notebook's computing, in a worker of its own: what `epochscope tendency FILE` computes, bit by bit. One thread: notebook servers
// send no headers by which pages share memory.

const engine = createInlineEngine();

/** Arrays as NumPy writes them, and options as the command line has them. */
export interface Points {
  name: string;
  rows: Uint8Array<ArrayBuffer>;
  labels: Uint8Array<ArrayBuffer> | null;
  predictions: Uint8Array<ArrayBuffer> | null;
  metric: TendencyMetric;
  missing: boolean;
  seed: number;
  smallestBlock: number | null;
}

const calls = {
  tendency(points: Points, { signal, tell }: CallContext): Promise<TendencyResult> {
    const { name, rows, labels, predictions, metric, missing, seed, smallestBlock } = points;
    const file = (bytes: Uint8Array<ArrayBuffer>, of: string) => new File([bytes], `${of}.npy`);
    return tendencyOfFile(
      file(rows, name),
      {
        metric,
        missing,
        seed,
        ...(smallestBlock === null ? {} : { smallestBlock }),
        ...(labels ? { labels: file(labels, 'labels') } : {}),
        ...(predictions ? { predictions: file(predictions, 'predictions') } : {}),
      },
      { engine, signal, onProgress: ({ share }) => tell(share) },
    );
  },
};
export type NotebookCalls = typeof calls;
exposeCalls(calls);
