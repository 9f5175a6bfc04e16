import { EpochscopeError } from '@epochscope/core-wasm';

/** A pickle longer than this is refused: a state dict takes about 200 bytes a tensor. */
export const MAX_PICKLE_BYTES = 64_000_000;
/** Longest text or whole number. */
export const MAX_PICKLE_TEXT = 10_000_000;
export const MAX_PICKLE_LONG = 64;

/** What a pickle's opcodes are followed by: numbers, texts and lines, read one after another and never past the end. */
export class PickleBytes {
  /** Of the next byte. */
  at = 0;
  private readonly view: DataView;
  private readonly decoder = new TextDecoder();

  constructor(
    private readonly bytes: Uint8Array,
    private readonly file: string,
  ) {
    if (bytes.length > MAX_PICKLE_BYTES)
      this.fail(`expected a pickle of at most ${MAX_PICKLE_BYTES} bytes, got ${bytes.length}`);
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  readonly fail = (message: string, byte = this.at, code: 'format' | 'unsupported' = 'format'): never => {
    throw new EpochscopeError(code, `${this.file}: ${message} (byte ${byte} of the pickle)`, {
      file: this.file,
      byte,
    });
  };

  get left(): number {
    return this.bytes.length - this.at;
  }
  private take(length: number): number {
    if (!(length >= 0 && length <= this.left))
      this.fail(`expected ${length} bytes more, the pickle ends after ${this.left}`);
    this.at += length;
    return this.at - length;
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
  u64(): number {
    return Number(this.view.getBigUint64(this.take(8), true));
  }
  i32(): number {
    return this.view.getInt32(this.take(4), true);
  }
  /** Big-endian, as the only number of a pickle. */
  f64(): number {
    return this.view.getFloat64(this.take(8), false);
  }
  /** A view; who keeps it copies it. */
  raw(length: number): Uint8Array {
    if (length > MAX_PICKLE_TEXT)
      this.fail(`expected at most ${MAX_PICKLE_TEXT} bytes in one value, got ${length}`);
    const from = this.take(length);
    return this.bytes.subarray(from, from + length);
  }
  text(length: number): string {
    return this.decoder.decode(this.raw(length));
  }
  line(): string {
    const end = this.bytes.indexOf(10, this.at);
    if (end < 0) this.fail('a line of text does not end');
    const value = this.text(end - this.at);
    this.at++;
    return value;
  }
  /** A whole number of two's complement, least byte first. */
  long(length: number): number | bigint {
    if (length > MAX_PICKLE_LONG)
      this.fail(`expected a whole number of at most ${MAX_PICKLE_LONG} bytes, got ${length}`);
    const digits = this.raw(length);
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(digits[i]!);
    if (length && digits[length - 1]! & 0x80) value -= 1n << BigInt(8 * length);
    return small(value);
  }

  /** A whole number spelled out. */
  decimal(value: string): number | bigint {
    if (!/^[+-]?\d{1,160}$/.test(value))
      this.fail(`expected a whole number, got ${JSON.stringify(value.slice(0, 40))}`);
    return small(BigInt(value.replace(/^\+/, '')));
  }
  /** A number spelled out as Python's repr does; `place` is its opcode's. */
  float(value: string, place: number): number {
    const number = /^[+-]?(inf|nan)$/i.test(value)
      ? Number(
          value
            .toLowerCase()
            .replace('inf', 'Infinity')
            .replace('nan', 'NaN')
            .replace(/^[+-]NaN/, 'NaN'),
        )
      : Number(value);
    if (value === '' || (Number.isNaN(number) && !/nan/i.test(value))) this.fail('expected a number', place);
    return number;
  }
  /** A place in the memo, spelled out. */
  index(value: string): number {
    if (!/^\d{1,9}$/.test(value))
      this.fail(`expected a memo index, got ${JSON.stringify(value.slice(0, 40))}`);
    return Number(value);
  }
}

const small = (value: bigint): number | bigint =>
  value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER)
    ? Number(value)
    : value;
