import { EpochscopeError } from '@epochscope/core-wasm';
import { rest } from '../budget.js';
import type { ByteSource } from '../types.js';

// HDF5 File Format Specification, version 3.0: https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html.

/** All that describes the datasets (not their numbers) may take this many bytes … */
export const MAX_HDF5_METADATA = 64_000_000;
/** … and this many pieces: groups, links, messages, nodes of trees. */
const MAX_HDF5_PIECES = 1_000_000;
/** Levels of a tree that indexes a group or chunks. */
export const MAX_HDF5_TREE_DEPTH = 16;
/** Bytes of a name. */
const LONGEST_NAME = 65_536;
/** The address of nothing. */
export const NOWHERE = Number.MAX_SAFE_INTEGER;

/** The file being read, with what reading its description has cost so far. */
export class Hdf5Reader {
  private bytesLeft = MAX_HDF5_METADATA;
  private piecesLeft = MAX_HDF5_PIECES;
  /** Added to every address in the file: what precedes the HDF5 part. */
  base = 0;
  constructor(readonly source: ByteSource) {}

  fail(message: string, byte: number, code: 'format' | 'unsupported' = 'format'): never {
    throw new EpochscopeError(code, `${this.source.name}: ${message} (byte ${byte})`, {
      file: this.source.name,
      byte,
    });
  }

  /** Counts pieces; a file whose links or trees run in circles ends here. */
  count(pieces: number, byte: number): void {
    this.piecesLeft -= pieces;
    if (this.piecesLeft < 0)
      this.fail(`expected at most ${MAX_HDF5_PIECES} groups, links and messages`, byte);
  }

  /** Bytes of the description, as a cursor. */
  async at(address: number, length: number, what: string): Promise<Cursor> {
    const byte = this.base + address;
    if (!(address >= 0 && length >= 0 && byte + length <= this.source.size))
      this.fail(`${what}: expected ${length} bytes, got a file of ${this.source.size} bytes`, byte);
    this.bytesLeft -= length;
    if (this.bytesLeft < 0) this.fail(`expected at most ${MAX_HDF5_METADATA} bytes of description`, byte);
    this.count(1, byte);
    await rest(this.source.name);
    return new Cursor(this, await this.source.read(byte, length), byte, what);
  }

  /** As `at`, but no more than the file has. */
  upTo(address: number, length: number, what: string): Promise<Cursor> {
    return this.at(address, Math.max(0, Math.min(length, this.source.size - this.base - address)), what);
  }
}

/** Little-endian reading that never leaves its bytes. */
export class Cursor {
  at = 0;
  private readonly view: DataView;
  constructor(
    readonly reader: Hdf5Reader,
    readonly bytes: Uint8Array,
    /** Where the bytes lie in the file. */
    readonly byte: number,
    readonly what: string,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  get left(): number {
    return this.bytes.length - this.at;
  }

  fail(message: string, code?: 'format' | 'unsupported'): never {
    return this.reader.fail(`${this.what}: ${message}`, this.byte + this.at, code);
  }

  private take(length: number): number {
    if (!(length >= 0 && length <= this.left)) this.fail(`expected ${length} bytes more, got ${this.left}`);
    this.at += length;
    return this.at - length;
  }

  skip(length: number): void {
    this.take(length);
  }
  /** To the next multiple of 8 from the start. */
  align(): void {
    this.skip(Math.min(this.left, (8 - (this.at % 8)) % 8));
  }
  u8(): number {
    return this.bytes[this.take(1)]!;
  }
  u16(): number {
    return this.view.getUint16(this.take(2), true);
  }
  u32(): number {
    return this.view.getUint32(this.take(4), true);
  }
  /** A length or count; a number past 2⁵³ is as wrong as any that is larger than the file. */
  u64(): number {
    return Number(this.view.getBigUint64(this.take(8), true));
  }
  /** NOWHERE where undefined (all ones). */
  address(): number {
    const value = this.view.getBigUint64(this.take(8), true);
    return value === 0xffff_ffff_ffff_ffffn ? NOWHERE : Number(value);
  }
  /** A whole number of `width` bytes. */
  uint(width: number): number {
    if (width > 8) this.fail(`expected a number of at most 8 bytes, got ${width}`);
    let value = 0;
    const from = this.take(width);
    for (let i = width - 1; i >= 0; i--) value = value * 256 + this.bytes[from + i]!;
    return value;
  }
  raw(length: number): Uint8Array {
    const from = this.take(length);
    return this.bytes.subarray(from, from + length);
  }
  sub(length: number, what = this.what): Cursor {
    const from = this.take(length);
    return new Cursor(this.reader, this.bytes.subarray(from, from + length), this.byte + from, what);
  }
  signature(expected: string): void {
    const got = new TextDecoder('latin1').decode(this.raw(expected.length));
    if (got !== expected) this.fail(`expected "${expected}", got ${JSON.stringify(got)}`);
  }
  /** Up to `length` bytes of text, ended by a zero. */
  text(length: number): string {
    const bytes = this.raw(length);
    const end = bytes.indexOf(0);
    return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
  }
  /** A text that ends in a zero within the bytes. */
  zeroText(): string {
    // Many names may begin in one long stretch without a zero.
    const length = this.bytes.subarray(this.at, this.at + LONGEST_NAME).indexOf(0);
    if (length < 0) this.fail('a name does not end');
    const text = this.text(length);
    this.at++;
    return text;
  }
}
