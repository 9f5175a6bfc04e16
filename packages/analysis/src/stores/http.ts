import { EpochscopeError } from '@epochscope/core-wasm';
import { type HttpSourceOptions, httpSource } from '../formats/http-source.js';
import { INDEX_FILE, type IndexFile, parseIndex } from './index-file.js';
import { listPaths, missing, partsOf, readOnly, shown } from './paths.js';
import type { Store } from './types.js';

/** How long an index is believed before it is asked for again. */
const FRESH = 1000;

/**
 * A run on a web server, for reading: any static host will do, best one that answers ranges. What there is is known from
 * `index.json`, which writers keep at a run's root; files that it does not name are asked for one by one unless it says that it is whole,
 * so that a run without one opens too, but cannot be listed. `address` is that of the folder, or of its run.json or index.json; its query goes
 * along with every request.
 */
export function httpStore(address: string, options: HttpSourceOptions = {}): Store {
  const base = new URL(address, globalThis.location?.href);
  base.hash = '';
  base.pathname = base.pathname.replace(/\/(run|index|result)\.json$/, '').replace(/\/*$/, '/');
  const name = base.href;
  const self = { name: `${base.origin}${base.pathname}` };
  const urlOf = (path: string) => {
    const url = new URL(base);
    url.pathname += partsOf(path, name).map(encodeURIComponent).join('/');
    return url.href;
  };
  const open = async (path: string) => {
    try {
      return await httpSource(urlOf(path), options);
    } catch (cause) {
      if (cause instanceof EpochscopeError && cause.code === 'missing') throw missing(self, path, cause);
      throw cause;
    }
  };
  let known: { at: number; index: Promise<IndexFile | null> } | null = null;
  const index = () => {
    if (!known || Date.now() - known.at > FRESH) known = { at: Date.now(), index: load() };
    return known.index;
  };
  const load = async () => {
    try {
      const file = await open(INDEX_FILE);
      return parseIndex(new TextDecoder().decode(await file.read(0, file.size)), shown(self, INDEX_FILE));
    } catch (cause) {
      if (cause instanceof EpochscopeError && cause.code === 'missing') return null;
      known = null;
      throw cause;
    }
  };
  return {
    name: self.name,
    writable: false,
    addressOf: (path) => ({ place: urlOf(path) }),
    async list(folder) {
      partsOf(folder, name);
      const listed = await index();
      if (!listed)
        throw new EpochscopeError(
          'unsupported',
          `${self.name} holds no ${INDEX_FILE}, so that its files are not known; "epochscope index RUN" (writeIndex of @epochscope/analysis/runs) makes one`,
          { path: self.name },
        );
      return listPaths(
        Object.entries(listed.files).map(([path, { size, modified }]) => [path, size, modified ?? null]),
        folder,
      );
    },
    async has(path) {
      partsOf(path, name);
      const listed = await index();
      if (listed?.files[path]) return true;
      if (listed?.whole) return false;
      try {
        await open(path);
        return true;
      } catch (cause) {
        if (cause instanceof EpochscopeError && cause.code === 'missing') return false;
        throw cause;
      }
    },
    open,
    ...readOnly(self.name, 'a run over http is read only'),
  };
}
