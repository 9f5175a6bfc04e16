import { EpochscopeError } from '@epochscope/core-wasm';
import { platform } from '#platform';
import type { HttpSourceOptions } from '../formats/http-source.js';
import { blobFile, filesStore } from './blobs.js';
import { directoryStore } from './handle.js';
import { httpStore } from './http.js';
import type { Store } from './types.js';
import { zipStore } from './zip.js';

/**
 * Where a run lies, as people say it: an http(s) address, a folder's path (Node), a zip's path or `File`, a directory's handle, the files of an
 * `<input webkitdirectory>`, or a store.
 */
export type Place =
  | string
  | URL
  | Blob
  | FileSystemDirectoryHandle
  | Iterable<File | readonly [path: string, file: Blob]>
  | Store;

const isStore = (place: object): place is Store => 'list' in place && 'open' in place && 'has' in place;

/** The store of a place. Throws `argument` for what is none, `format` for a file that is no zip. */
export async function storeOf(place: Place, options: HttpSourceOptions = {}): Promise<Store> {
  if (place instanceof URL || (typeof place === 'string' && /^https?:\/\//i.test(place)))
    return httpStore(String(place), options);
  if (typeof place === 'string') return platform.storeOfPath(place);
  if (typeof place === 'object' && place !== null) {
    if (isStore(place)) return place;
    if (place instanceof Blob) return zipStore(blobFile((place as Partial<File>).name ?? 'zip', place));
    if ('getDirectoryHandle' in place) return directoryStore(place);
    if (Symbol.iterator in place) return filesStore(place);
  }
  throw new EpochscopeError(
    'argument',
    `expected a path, an address, a File, a directory's handle or a store, got ${typeof place}`,
  );
}
