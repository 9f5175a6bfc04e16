import type { ByteSource } from '../../formats/types.js';
import { OpenFiles } from '../../stores/open-files.js';
import { shown } from '../../stores/paths.js';
import type { Store } from '../../stores/types.js';

/** A file as it was when it was first opened. */
export interface SeenFile {
  path: string;
  size: number;
  stamp: string | null;
}

/** Files of a store that tensors are read from later: each as a source that opens the file again where it was closed meanwhile. */
export class WeightFiles {
  /** By the sources' names. */
  readonly seen = new Map<string, SeenFile>();
  private readonly open = new OpenFiles();

  constructor(readonly store: Store) {}

  async source(path: string): Promise<ByteSource> {
    const name = shown(this.store, path);
    const opened = () => this.open.get(path, () => this.store.open(path));
    if (!this.seen.has(name)) {
      const { size, stamp } = await opened();
      this.seen.set(name, { path, size, stamp });
    }
    const { size } = this.seen.get(name)!;
    return { name, size, read: async (offset, length) => (await opened()).read(offset, length) };
  }

  close = () => this.open.close();
}
