import { type FSWatcher, watch } from 'node:fs';

/** Least time between two looks after a notice from the file system. */
const QUIET = 150;
/** Notices get lost (network disks, folders made later): looked at this often in any case. */
const POLL = 1000;

/**
 * Tells when what `signature` describes has changed. Notices of the file system only make it look sooner; what counts is
 * the signature, so nothing is missed, and a burst of writes is one change.
 */
export class Watch {
  /** 0 before the first look. Whoever reads what is watched takes the version first, and never at 0. */
  version = 0;
  private last: string | null = null;
  private readonly watchers = new Map<string, FSWatcher>();
  private readonly waiting = new Set<() => void>();
  private timer: NodeJS.Timeout | null = null;
  private readonly poll: NodeJS.Timeout;
  private busy = false;
  private again = false;
  private closed = false;
  private cost = 0;

  constructor(
    private readonly folders: readonly string[],
    private readonly signature: () => Promise<string>,
  ) {
    this.poll = setInterval(() => void this.look(), POLL);
    void this.look();
  }

  /** Resolves once the version is not `known` any more, or `signal` aborts, or after `milliseconds`. */
  changed(known: number, milliseconds: number, signal: AbortSignal): Promise<void> {
    if (this.version !== known || signal.aborted || this.closed) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        this.waiting.delete(done);
        resolve();
      };
      const timer = setTimeout(done, milliseconds);
      signal.addEventListener('abort', done);
      this.waiting.add(done);
    });
  }

  close(): void {
    this.closed = true;
    clearInterval(this.poll);
    if (this.timer) clearTimeout(this.timer);
    for (const watcher of this.watchers.values()) watcher.close();
    for (const done of [...this.waiting]) done();
  }

  private notice(): void {
    // Ten times what a look costs, so that looking never takes more than a tenth of the machine.
    this.timer ??= setTimeout(
      () => {
        this.timer = null;
        void this.look();
      },
      Math.max(QUIET, 10 * this.cost),
    );
  }

  private async look(): Promise<void> {
    if (this.busy) {
      this.again = true;
      return;
    }
    this.busy = true;
    do {
      this.again = false;
      this.listen();
      const begun = performance.now();
      const now = await this.signature().catch((error: Error) => `problem: ${error.message}`);
      this.cost = performance.now() - begun;
      if (this.closed) return;
      if (now !== this.last) {
        this.version++;
        this.last = now;
        for (const done of [...this.waiting]) done();
      }
    } while (this.again);
    this.busy = false;
  }

  /** Folders that appear later are watched from the next look on; one that was replaced is watched anew. */
  private listen(): void {
    for (const folder of this.folders) {
      if (this.watchers.has(folder)) continue;
      try {
        const watcher = watch(folder, { persistent: false }, (event) => {
          if (event === 'rename') this.forget(folder);
          this.notice();
        });
        watcher.on('error', () => this.forget(folder));
        this.watchers.set(folder, watcher);
      } catch {
        // Not there yet, or no notices to be had here: the poll does it.
      }
    }
  }

  private forget(folder: string): void {
    this.watchers.get(folder)?.close();
    this.watchers.delete(folder);
  }
}
