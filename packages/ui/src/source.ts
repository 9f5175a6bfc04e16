import { decodeAny, type ResultBase } from '@epochscope/analysis/results';

/** Fetches and decodes a result in one file: what `epochscope serve` answers, or `encodeBinary` or `encodeInline` wrote. Throws a readable error. */
export async function loadResult<T extends ResultBase>(url: string, signal?: AbortSignal): Promise<T> {
  const response = await fetch(url, { signal });
  if (!response.ok) throw new Error(`${url}: ${response.status} ${response.statusText}`);
  return decodeAny<T>(new Uint8Array(await response.arrayBuffer()), url);
}

/** Loads for an element's `src`: the answer to an older address never replaces that to a newer one. */
export class SourceLoader<T extends ResultBase> {
  private wanted: AbortController | null = null;

  /** What is under way is never heard of. */
  cancel(): void {
    this.wanted?.abort();
  }

  /** Calls `done` once with the result, or with the problem, unless another load begins first. */
  load(url: string, done: (result: T | null, problem: string) => void): void {
    this.wanted?.abort();
    const own = new AbortController();
    this.wanted = own;
    loadResult<T>(url, own.signal).then(
      (result) => own.signal.aborted || done(result, ''),
      (error: Error) => own.signal.aborted || done(null, error.message),
    );
  }
}
