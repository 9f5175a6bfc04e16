import { EpochscopeError, formatBytes, guard } from '@epochscope/core-wasm';
import type { ByteSource } from './types.js';

/** What whoever starts the program decides for every file it reads. */
export interface ReadLimits {
  /** Bytes that unpacking one file may take; default 200 MB, or twenty times the file where that is more. */
  memory?: number;
  /** Stops reading, which then rejects with `cancelled`. */
  signal?: AbortSignal;
  /** Follows symbolic links that lead out of a folder of checkpoints; those of a hub's cache to its blobs are followed anyway. Default false. */
  followLinks?: boolean;
}

let limits: ReadLimits = {};

/** Sets the limits of all reading from now on; `{}` for the defaults. */
export function setReadLimits(wanted: ReadLimits): void {
  limits = wanted;
}

/** Whether links that lead out of a folder of checkpoints are followed. */
export const followsLinks = (): boolean => limits.followLinks ?? false;

/** Unpacked bytes that any file may have: with what unpacking takes besides, the process grows by less than 256 MB. */
export const UNPACKED_BYTES = 200_000_000;
/** How many times its size a file may unpack to; numbers seldom pack better. */
const UNPACKED_TIMES = 20;
/** How many times its limit a file may be unpacked to in all: arrays of a zip are read twice or three times at most. */
const WORK_TIMES = 8;
/** No typed array is longer on Node 20. */
export const LONGEST_ARRAY = 2 ** 32;
/** Other work (signals, other requests) waits no longer than this for a parser. */
const REST_MS = 50;

/**
 * What one file may cost. Parsers add up what they are about to unpack or widen before they allocate it, and rest now and then, so
 * that a signal is heard while they work.
 */
export class Budget {
  readonly limit: number;
  /** Whether the parser reads through the file's gzip: what it then says is of what is inside. */
  gunzipped = false;
  private taken = 0;
  private done = 0;

  constructor(
    private readonly name: string,
    size: number,
  ) {
    this.limit = limits.memory ?? Math.max(UNPACKED_BYTES, UNPACKED_TIMES * size);
  }

  /** Counts bytes that will be held until the file is read. Throws `memory` past the limit, before they are allocated. */
  take(bytes: number, what: string): void {
    this.taken += bytes;
    guard(
      this.taken <= this.limit,
      'memory',
      () =>
        `${this.name}: ${what} would take ${formatBytes(this.taken)} once unpacked, at most ${formatBytes(this.limit)} are allowed; \`memory: ${formatBytes(Math.ceil(this.taken / 1e8) * 1e8).replace(' ', '')}\` allows it`,
      { file: this.name, needed: this.taken, available: this.limit },
    );
  }

  /**
   * Counts bytes that were unpacked, held or not: what is unpacked again and again is work without end, however little of it is held.
   * Throws `memory` past so many times the limit.
   */
  work(bytes: number): void {
    this.done += bytes;
    guard(
      this.done <= WORK_TIMES * this.limit,
      'memory',
      () =>
        `${this.name}: more than ${formatBytes(WORK_TIMES * this.limit)} would be unpacked, some of it again and again; \`memory\` allows more`,
      { file: this.name, needed: this.done, available: WORK_TIMES * this.limit },
    );
  }

  /** Throws as `take` where so many bytes more will not fit; counts nothing. */
  expect(bytes: number, what: string): void {
    this.take(bytes, what);
    this.free(bytes);
  }

  /** Bytes that may still be taken. */
  get room(): number {
    return this.limit - this.taken;
  }

  /** Gives bytes back that are no longer held. */
  free(bytes: number): void {
    this.taken -= bytes;
  }

  /** `rest` on behalf of this file. */
  rest(): Promise<void> {
    return rest(this.name);
  }
}

/** When anything else last had its turn. */
let rested = performance.now();

/** Lets others run where 50 ms have passed since a parser last did; `file` for the message. Throws `cancelled`. */
export async function rest(file: string): Promise<void> {
  if (performance.now() - rested < REST_MS) return;
  await new Promise((resolve) => setTimeout(resolve, 0));
  rested = performance.now();
  if (limits.signal?.aborted)
    throw new EpochscopeError('cancelled', `reading ${file} was cancelled`, { file });
}

const budgets = new WeakMap<ByteSource, Budget>();

/** The budget of a file; sources over parts of it share it (`shareBudget`). */
export function budgetOf(source: ByteSource): Budget {
  let budget = budgets.get(source);
  if (!budget) {
    budget = new Budget(source.name, source.size);
    budgets.set(source, budget);
  }
  return budget;
}

/** A source over a part of another, on the other's budget. */
export function shareBudget<T extends ByteSource>(part: T, whole: ByteSource): T {
  budgets.set(part, budgetOf(whole));
  return part;
}
