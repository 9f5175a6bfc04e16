import { platform } from '#platform';
import type { FileIdentity } from '../results/types.js';
import { withStored } from './content.js';
import { INDEX_FILE, type IndexFile, parseIndex } from './index-file.js';
import { splitPath } from './paths.js';
import type { Store, StoredFile } from './types.js';

/** A file that hashes what is read of it, so that nothing is read twice to say which state of it was used. */
export interface HashedFile extends StoredFile {
  /** Of what was read so far: of the whole if that is all of it. Once. */
  identity(): FileIdentity;
  /** Reads past the hash. */
  peek(offset: number, length: number): Promise<Uint8Array>;
}

/**
 * Hashes a file while it is read. Reads that follow each other (or overlap) from byte 0 to the end give its SHA-256; else the hash is that
 * of the bytes up to the first gap, then of each further read's offset (8 bytes, little-endian) and bytes, in the order read.
 */
export function hashed(file: StoredFile): HashedFile {
  const hash = platform.sha256();
  let at = 0;
  let gaps = false;
  return {
    name: file.name,
    size: file.size,
    stamp: file.stamp,
    async read(offset, length) {
      const bytes = await file.read(offset, length);
      if (!gaps && offset <= at) {
        if (offset + length > at) {
          hash.update(bytes.subarray(at - offset));
          at = offset + length;
        }
      } else {
        gaps = true;
        const place = new Uint8Array(8);
        new DataView(place.buffer).setBigUint64(0, BigInt(offset), true);
        hash.update(place);
        hash.update(bytes);
      }
      return bytes;
    },
    peek: (offset, length) => file.read(offset, length),
    close: () => file.close(),
    identity: () =>
      !gaps && at === file.size
        ? { sha256: hash.digest() }
        : { size: file.size, stamp: file.stamp, sha256OfRead: hash.digest() },
  };
}

/** How long the index of a store that is only read is believed, in milliseconds. */
const FRESH = 1000;
const indexes = new WeakMap<Store, { at: number; stamp: string | null; index: IndexFile | null }>();

/** A store's index, parsed once as long as its file stays the same: a plan asks for thousands of files. */
async function indexOf(store: Store): Promise<IndexFile | null> {
  const last = indexes.get(store);
  if (last && !store.writable && Date.now() - last.at < FRESH) return last.index;
  const found = (await store.has(INDEX_FILE))
    ? await withStored(store, INDEX_FILE, async (file) => {
        if (last?.index && file.stamp !== null && last.stamp === file.stamp) return last;
        const text = new TextDecoder().decode(await file.read(0, file.size));
        return { stamp: file.stamp, index: parseIndex(text, file.name) };
      })
    : { stamp: null, index: null };
  indexes.set(store, { at: Date.now(), stamp: found.stamp, index: found.index });
  return found.index;
}

/** Bytes of a file that are hashed where it is identified without being read: headers stand there. */
const HEAD = 4096;

/**
 * Which state of a file lies there, without reading it: the SHA-256 that its writer stored in the index, as long as size and time are as
 * the index says; else size, time or ETag, and the hash of its first 4096 bytes (of all, if there are no more). Throws `missing`.
 */
export async function identityOf(store: Store, path: string): Promise<FileIdentity> {
  const [folder, name] = splitPath(path);
  const known = (await indexOf(store).catch(() => null))?.files[path];
  if (known?.sha256) {
    const there = store.writable ? (await store.list(folder)).find((entry) => entry.name === name) : null;
    // What cannot be written is taken to be as its index says: a copy has other times.
    if (!store.writable || (there?.size === known.size && there.modified === (known.modified ?? null)))
      return { sha256: known.sha256 };
  }
  const file = hashed(await store.open(path));
  try {
    await file.read(0, Math.min(HEAD, file.size));
    return file.identity();
  } finally {
    await file.close();
  }
}
