import type { StoredFile } from './types.js';

/** A model may lie in a thousand files, and a process may open about as many. */
const OPEN = 32;
/** Files on the web hold nothing open, and opening them again is a request: they stay. */
const isRemote = (key: string) => /^https?:/.test(key);

/** Files that are read from again and again: opened when they are first wanted, the least recently opened closed for another. */
export class OpenFiles {
  private readonly open = new Map<string, Promise<StoredFile>>();
  private held = 0;

  async get(key: string, open: () => Promise<StoredFile>): Promise<StoredFile> {
    const known = this.open.get(key);
    if (known) return known;
    const file = open();
    this.open.set(key, file);
    file.catch(() => this.open.delete(key));
    if (!isRemote(key) && ++this.held > OPEN)
      for (const [oldest, unused] of this.open) {
        if (isRemote(oldest)) continue;
        this.open.delete(oldest);
        this.held--;
        await (await unused).close();
        break;
      }
    return file;
  }

  async close(): Promise<void> {
    const files = [...this.open.values()];
    this.open.clear();
    this.held = 0;
    for (const file of await Promise.allSettled(files))
      if (file.status === 'fulfilled') await file.value.close();
  }
}
