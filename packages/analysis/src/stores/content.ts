import { guard } from '@epochscope/core-wasm';
import { joinBytes } from '../formats/bytes.js';
import { explained } from '../formats/sniff.js';
import { checkRange } from '../formats/source.js';
import type { Content, Store, StoredFile } from './types.js';

/** A content's parts in turn. */
export async function* partsOfContent(content: Content): AsyncIterable<Uint8Array> {
  if (typeof content === 'string') yield new TextEncoder().encode(content);
  else if (content instanceof Uint8Array) yield content;
  else yield* content;
}

/** A content as one array of bytes. */
export async function wholeContent(content: Content): Promise<Uint8Array> {
  if (content instanceof Uint8Array) return content;
  if (typeof content === 'string') return new TextEncoder().encode(content);
  const parts: Uint8Array[] = [];
  let total = 0;
  for await (const part of content) {
    // A part may be a buffer that its maker fills again.
    parts.push(part.slice());
    total += part.length;
  }
  return joinBytes(parts, total);
}

/** An open file over bytes in memory; `read` returns views. */
export function bytesFile(name: string, bytes: Uint8Array, stamp: string | null): StoredFile {
  let open = true;
  return {
    name,
    size: bytes.length,
    stamp,
    async read(offset, length) {
      guard(open, 'io', () => `${name} is closed`, { file: name });
      checkRange({ name, size: bytes.length }, offset, length);
      return bytes.subarray(offset, offset + length);
    },
    async close() {
      open = false;
    },
  };
}

/** Opens, uses and closes a file of a store. */
export async function withStored<T>(
  store: Store,
  path: string,
  body: (file: StoredFile) => Promise<T>,
): Promise<T> {
  const file = await store.open(path);
  try {
    return await body(file);
  } catch (cause) {
    throw await explained(file, cause);
  } finally {
    await file.close();
  }
}

/** A text file of at most `limit` bytes. Throws `missing`, `format`. */
export function readText(store: Store, path: string, limit: number): Promise<string> {
  return withStored(store, path, async (file) => {
    guard(
      file.size <= limit,
      'format',
      () => `${file.name}: expected at most ${limit} bytes, got ${file.size}`,
      {
        file: file.name,
        got: file.size,
      },
    );
    return new TextDecoder().decode(await file.read(0, file.size));
  });
}
