import { platform } from '#platform';
import { toolInfo } from '../version.js';

/** SHA-256 as hex of texts (UTF-8) and typed arrays, one after the other. */
export function sha256(...parts: readonly (string | ArrayBufferView)[]): string {
  const hash = platform.sha256();
  for (const part of parts)
    hash.update(
      typeof part === 'string'
        ? new TextEncoder().encode(part)
        : new Uint8Array(part.buffer, part.byteOffset, part.byteLength),
    );
  return hash.digest();
}

/** JSON with the fields of objects in order, so that equal values give equal texts. Fields that are undefined are left out. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, inner) =>
    inner && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : inner,
  );
}

/** A part's key: all that decides its output, and this version of ours. */
export const keyOf = (kind: string, decides: unknown): string =>
  sha256(canonicalJson({ tool: toolInfo.version, kind, decides }));
