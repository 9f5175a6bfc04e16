import { EpochscopeError, formatBytes, guard } from './errors.js';

/**
 * What `make` makes: an array of JavaScript's of so many bytes. Throws `memory`, with the figure, where it cannot be
 * had.
 */
export function outside<T>(what: string, bytes: number, make: () => T): T {
  try {
    return make();
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new EpochscopeError(
      'memory',
      `${what} needs ${formatBytes(bytes)} more memory outside WebAssembly's, which cannot be had`,
      { needed: bytes },
      { cause },
    );
  }
}

const PAGE = 65536;
/** wasm32 ends here. */
export const MAX_BYTES = 65536 * PAGE;

/**
 * First-fit allocator over a WebAssembly.Memory, kept on the JavaScript side so that several instances can work on one
 * shared memory. Exactly one arena may own a memory. Pointers are byte offsets, 64-byte aligned. Views go stale when
 * the memory grows: derive them anew (`f32(ptr, length)`) after every `alloc`.
 */
export class Arena {
  /** Free ranges as [start, end), sorted, never adjacent. */
  private free: [number, number][];
  private readonly sizes = new Map<number, number>();
  private end: number;

  constructor(
    readonly memory: WebAssembly.Memory,
    /** The first page is left to the modules. */
    base: number = PAGE,
  ) {
    this.end = memory.buffer.byteLength;
    this.free = this.end > base ? [[base, this.end]] : [];
    if (this.end < base) this.end = base;
  }

  /** Bytes handed out now. */
  get used(): number {
    let total = 0;
    for (const size of this.sizes.values()) total += size;
    return total;
  }

  /** Reserves `bytes` (contents undefined). Throws `memory` with the figure if they cannot be had. */
  alloc(bytes: number): number {
    guard(bytes >= 0, 'argument', () => `alloc: expected a number of bytes, got ${bytes}`);
    const size = Math.max(64, Math.ceil(bytes / 64) * 64);
    for (let i = 0; i < this.free.length; i++) {
      const range = this.free[i]!;
      if (range[1] - range[0] >= size) {
        const ptr = range[0];
        range[0] += size;
        if (range[0] === range[1]) this.free.splice(i, 1);
        this.sizes.set(ptr, size);
        return ptr;
      }
    }
    const last = this.free[this.free.length - 1];
    const tail = last && last[1] === this.end ? last[1] - last[0] : 0;
    const pages = Math.ceil((this.end + size - tail - this.memory.buffer.byteLength) / PAGE);
    if (this.end + size - tail > MAX_BYTES) throw this.tooLarge(bytes);
    if (pages > 0) {
      try {
        this.memory.grow(pages);
      } catch (cause) {
        throw this.tooLarge(bytes, cause);
      }
    }
    this.release(this.end, this.memory.buffer.byteLength);
    this.end = this.memory.buffer.byteLength;
    return this.alloc(bytes);
  }

  /** Whether these bytes all lie in one block that is handed out now. */
  holds(ptr: number, bytes: number): boolean {
    for (const [start, size] of this.sizes) if (ptr >= start && ptr + bytes <= start + size) return true;
    return false;
  }

  /** Gives back what `alloc` returned. */
  dealloc(ptr: number): void {
    const size = this.sizes.get(ptr);
    if (size === undefined)
      throw new EpochscopeError('internal', `dealloc of ${ptr}, which is not allocated`, { ptr });
    this.sizes.delete(ptr);
    this.release(ptr, ptr + size);
  }

  /** Runs `body` with an allocator whose blocks are all given back afterwards, whatever happens. */
  scope<T>(body: (alloc: (bytes: number) => number) => T): T {
    const taken: number[] = [];
    try {
      return body((bytes) => {
        const ptr = this.alloc(bytes);
        taken.push(ptr);
        return ptr;
      });
    } finally {
      for (const ptr of taken) this.dealloc(ptr);
    }
  }

  u8(ptr: number, length: number): Uint8Array {
    return new Uint8Array(this.memory.buffer, ptr, length);
  }
  u32(ptr: number, length: number): Uint32Array {
    return new Uint32Array(this.memory.buffer, ptr, length);
  }
  i32(ptr: number, length: number): Int32Array {
    return new Int32Array(this.memory.buffer, ptr, length);
  }
  f32(ptr: number, length: number): Float32Array {
    return new Float32Array(this.memory.buffer, ptr, length);
  }
  f64(ptr: number, length: number): Float64Array {
    return new Float64Array(this.memory.buffer, ptr, length);
  }

  private release(start: number, end: number): void {
    if (end <= start) return;
    let i = 0;
    while (i < this.free.length && this.free[i]![0] < start) i++;
    this.free.splice(i, 0, [start, end]);
    const next = this.free[i + 1];
    if (next && next[0] === end) {
      this.free[i]![1] = next[1];
      this.free.splice(i + 1, 1);
    }
    const previous = this.free[i - 1];
    if (previous && previous[1] === start) {
      previous[1] = this.free[i]![1];
      this.free.splice(i, 1);
    }
  }

  private tooLarge(bytes: number, cause?: unknown): EpochscopeError {
    return new EpochscopeError(
      'memory',
      `needs ${formatBytes(bytes)} more WebAssembly memory, of which ${formatBytes(this.used)} is in use and 4.3 GB is the limit`,
      { needed: bytes, used: this.used, limit: MAX_BYTES },
      { cause },
    );
  }
}
