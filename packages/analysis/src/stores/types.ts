import type { ByteSource } from '../formats/types.js';

/** An open file of a store. */
export interface StoredFile extends ByteSource {
  /** Tells one state of the file from another without reading it: size and time, or an ETag; null where the place has neither. */
  readonly stamp: string | null;
  /** Releases the file; reading afterwards rejects. */
  close(): Promise<void>;
}

export interface StoreEntry {
  name: string;
  kind: 'file' | 'folder';
  /** Bytes of a file; null for a folder, or where the place does not say. */
  size: number | null;
  /** When a file was last written, in milliseconds since 1970; null for a folder, or where the place does not say. */
  modified: number | null;
}

/** What a file is written from; in parts where it need not be in memory at once. */
export type Content = Uint8Array | string | Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/** A file that grows. What was flushed stays after a crash; a reader may read it meanwhile. */
export interface Appender {
  /** Bytes in the file so far. */
  readonly size: number;
  append(bytes: Uint8Array): Promise<void>;
  flush(): Promise<void>;
  /** Flushes and releases the file. */
  close(): Promise<void>;
}

/** A file by an absolute path or an http(s) address, with its SHA-256 where the place says it unread. */
export interface LinkedAddress {
  place: string;
  sha256?: string;
}

/**
 * A place where a run or a result lies: a folder, an http(s) address, a browser's directory or private file system, files dropped on
 * a page, a zip, memory. Paths are relative to its root, parts separated by "/", never absolute and never with "..": others are
 * refused (`argument`). Errors are `missing` (no such file), `io` (the place refuses), `format` (an answer makes no sense).
 *
 * Files are whole or not there: everything that belongs together is written file by file, and the file that names the others
 * (run.json, result.json) last. Nothing more is needed of a place, so that all of them can serve.
 */
export interface Store {
  /** For messages: a path, an address, a file's name. */
  readonly name: string;
  /** false: `write`, `append` and `remove` reject with `unsupported`. */
  readonly writable: boolean;
  /** Entries right in a folder ("" is the root), sorted by name, without files that are still being written; none if it is not there. */
  list(folder: string): Promise<StoreEntry[]>;
  /** Whether a file is there, as cheaply as the place allows: over http the index is believed. */
  has(path: string): Promise<boolean>;
  /** Throws `missing`. */
  open(path: string): Promise<StoredFile>;
  /** A file that appears whole or not at all, in place of an older one; folders above it are made. */
  write(path: string, content: Content): Promise<void>;
  /** Opens a file for growing at its end, or at `from` bytes (what lies behind is cut off); made if it is not there. */
  append(path: string, from?: number): Promise<Appender>;
  /** Where another program, or this one at another time, finds the file: an absolute path or an address; missing where there is no such thing. */
  addressOf?(path: string): LinkedAddress;
  /** Removes a file, or a folder with all in it; nothing if it is not there. */
  remove(path: string): Promise<void>;
  /** Does something while no other writer, on any machine that sees the place, does so by the same name; missing where writers cannot be kept apart. */
  alone?<T>(name: string, body: () => Promise<T>): Promise<T>;
}

/** Links that lead out of a folder: left out of lists and refused; `named` in lists and refused when they are read; or followed. */
export type LinksOutside = 'within' | 'named' | 'followed';
