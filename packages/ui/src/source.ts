import { decodeInline, type ResultBase } from '@epochscope/analysis/results';

/** Fetches and decodes a result written by `encodeInline`. Throws a readable error. */
export async function loadResult<T extends ResultBase>(url: string, signal?: AbortSignal): Promise<T> {
  const response = await fetch(url, { signal });
  if (!response.ok) throw new Error(`${url}: ${response.status} ${response.statusText}`);
  return decodeInline<T>(await response.text(), url);
}
