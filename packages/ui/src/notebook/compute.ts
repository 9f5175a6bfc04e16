import { type CallOptions, type RemoteCalls, remoteCalls } from '@epochscope/analysis';
import type { TendencyResult } from '@epochscope/analysis/results';
import type { NotebookCalls, Points } from './worker.js';

let script: string | undefined;
let worker: RemoteCalls<NotebookCalls> | null = null;

/** The worker's script: the build writes it into the engine, which has no files beside it. */
export function setWorkerScript(text: string): void {
  script = text;
}

/** VAT and iVAT of points, in the page's one worker: what `tendencyOfFile` gives and throws. */
export async function tendencyOfPoints(
  points: Points,
  onShare: (share: number) => void,
): Promise<TendencyResult> {
  const how: CallOptions = { onEvent: onShare as (event: never) => void };
  worker ??= remoteCalls<NotebookCalls>(
    new Worker(URL.createObjectURL(new Blob([script!], { type: 'text/javascript' })), { name: 'epochscope' }),
  );
  try {
    return await worker.call('tendency', points, how);
  } catch (error) {
    // One that died answers nothing any more.
    if ((error as { code?: string }).code === 'internal') {
      worker?.close();
      worker = null;
    }
    throw error;
  }
}
