import type { StoredFile } from './types.js';

/** A model may lie in a thousand files, and a process may open about as many. */
const OPEN = 8;

/** Files that are read from again and again: opened when they are first wanted, the least recently opened closed for another. */
export class OpenFiles {
  private readonly open = new Map<string, Promise<StoredFile>>();

  async get(key: string, open: () => Promise<StoredFile>): Promise<StoredFile> {
    const known = this.open.get(key);
    if (known) return known;
    const file = open();
    this.open.set(key, file);
    file.catch(() => this.open.delete(key));
    if (this.open.size > OPEN) {
      const [oldest, unused] = this.open.entries().next().value!;
      this.open.delete(oldest);
      await (await unused).close();
    }
    return file;
  }

  async close(): Promise<void> {
    const files = [...this.open.values()];
    this.open.clear();
    for (const file of await Promise.allSettled(files))
      if (file.status === 'fulfilled') await file.value.close();
  }
}
