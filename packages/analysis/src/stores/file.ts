import { EpochscopeError } from '@epochscope/core-wasm';
import { platform } from '#platform';
import { type HttpSourceOptions, httpSource } from '../formats/http-source.js';
import type { OpenSibling } from '../formats/siblings.js';
import { explained } from '../formats/sniff.js';
import { blobFile, filesStore } from './blobs.js';
import { withStored } from './content.js';
import { isHubAddress, openHubFile } from './hub/index.js';
import { storeOf } from './of.js';
import type { StoredFile } from './types.js';

/** One file: its path (Node), its http(s) address, or a page's `File`. */
export type FilePlace = string | URL | Blob;

/** Opens a file, to be closed after use. Throws `missing`, `io`; whatever is no regular file is refused by its kind. */
export async function openFile(place: FilePlace, options: HttpSourceOptions = {}): Promise<StoredFile> {
  if (place instanceof URL || (typeof place === 'string' && /^https?:\/\//i.test(place)))
    return isHubAddress(String(place))
      ? openHubFile(String(place), options)
      : httpSource(String(place), options);
  if (typeof place === 'string') return platform.openPath(place);
  if (place instanceof Blob) return blobFile((place as Partial<File>).name ?? 'file', place);
  throw new EpochscopeError('argument', `expected a path, an address or a File, got ${typeof place}`);
}

/** Opens, uses and closes a file. */
export async function withFile<T>(place: FilePlace, body: (file: StoredFile) => Promise<T>): Promise<T> {
  const file = await openFile(place);
  try {
    return await body(file);
  } catch (cause) {
    throw await explained(file, cause);
  } finally {
    await file.close();
  }
}

/** Opens a file and, by their plain names, those beside it: a model's external data, shards. */
export async function openBeside(place: FilePlace): Promise<{ name: string; open: OpenSibling }> {
  const text = place instanceof Blob ? ((place as Partial<File>).name ?? 'file') : String(place);
  const cut = Math.max(text.lastIndexOf('/'), place instanceof Blob ? -1 : text.lastIndexOf('\\'));
  const name = text.slice(cut + 1);
  const folder = cut < 0 ? '.' : cut === 0 ? '/' : text.slice(0, cut);
  const store = place instanceof Blob ? filesStore([[name, place]]) : await storeOf(folder);
  return {
    name,
    // The file itself also where it is a link.
    open: (wanted, body) => (wanted === name ? withFile(place, body) : withStored(store, wanted, body)),
  };
}
