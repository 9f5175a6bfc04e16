import { wholeContent } from './content.js';
import { byName, joinPath, missing, partsOf, splitPath } from './paths.js';
import type { Store, StoreEntry } from './types.js';

/**
 * A store that reads `base` and writes into `upper`: for a run that cannot be written (http, a zip), captures and results go into
 * memory or a browser's private file system. A file of `upper` hides that of `base`; what was removed of `base` is
 * hidden for as long as this store is used, no longer.
 */
export function overlay(base: Store, upper: Store): Store {
  const { name } = base;
  /** Removed files and folders of `base`. */
  const hidden = new Set<string>();
  const isHidden = (path: string): boolean =>
    hidden.size > 0 &&
    (hidden.has('') ||
      partsOf(path, name).some((_, i, parts) => hidden.has(parts.slice(0, i + 1).join('/'))));
  return {
    name,
    writable: upper.writable,
    async list(folder) {
      const below = await (isHidden(folder) ? [] : base.list(folder));
      const found = new Map<string, StoreEntry>();
      for (const entry of below) if (!isHidden(joinPath(folder, entry.name))) found.set(entry.name, entry);
      for (const entry of await upper.list(folder)) found.set(entry.name, entry);
      return byName([...found.values()]);
    },
    has: async (path) => (await upper.has(path)) || (!isHidden(path) && base.has(path)),
    async open(path) {
      if (await upper.has(path)) return upper.open(path);
      if (isHidden(path)) throw missing({ name }, path);
      return base.open(path);
    },
    write: (path, content) => upper.write(path, content),
    async append(path, from) {
      if (!(await upper.has(path)) && !isHidden(path) && (await base.has(path))) {
        const file = await base.open(path);
        try {
          await upper.write(path, await wholeContent(await file.read(0, from ?? file.size)));
        } finally {
          await file.close();
        }
      }
      return upper.append(path, from);
    },
    async remove(path) {
      await upper.remove(path);
      const [folder, entry] = splitPath(path);
      if (
        path === '' ||
        (await base.has(path)) ||
        (await base.list(folder)).some((one) => one.name === entry)
      )
        hidden.add(path);
    },
  };
}

/** The part of a store below one folder, as a store: one run of a folder of runs. */
export function within(store: Store, folder: string): Store {
  const parts = partsOf(folder, store.name);
  if (!parts.length) return store;
  const at = (path: string) => joinPath(folder, path);
  return {
    name: `${store.name.replace(/[/\\]$/, '')}/${folder}`,
    writable: store.writable,
    list: (path) => store.list(at(path)),
    has: (path) => store.has(at(path)),
    open: (path) => store.open(at(path)),
    write: (path, content) => store.write(at(path), content),
    append: (path, from) => store.append(at(path), from),
    remove: (path) => store.remove(at(path)),
  };
}
