import { EpochscopeError } from '@epochscope/core-wasm';
import { rest } from '../budget.js';

// Protocol Buffers on the wire: https://protobuf.dev/programming-guides/encoding/. Reading only, and only as fields.

/** Messages in messages. */
export const MAX_PROTOBUF_DEPTH = 32;
/** Fields of one file: of a net of 100 000 nodes some two million. */
export const MAX_PROTOBUF_FIELDS = 5_000_000;
const TURN_FIELDS = 4096;

/** One field: a number for varints and fixed widths (fixed32 as its bits), bytes for the rest. */
export interface Field {
  number: number;
  /** 0 varint, 1 fixed64, 2 bytes, 5 fixed32. */
  wire: number;
  value: bigint;
  bytes: Uint8Array;
}

const NOTHING = new Uint8Array(0);

/** A message as its fields, in order, one at a time; every length is checked against what is left. */
export class Message {
  constructor(
    readonly bytes: Uint8Array,
    readonly file: string,
    /** Where the message begins in the file. */
    readonly byte = 0,
    readonly depth = 0,
    /** Fields of the whole file so far, and at how many it is time to rest. */
    private readonly read = { fields: 0, rest: TURN_FIELDS },
  ) {
    if (depth > MAX_PROTOBUF_DEPTH)
      this.fail(`expected messages nested at most ${MAX_PROTOBUF_DEPTH} deep`, 0);
  }

  fail(message: string, at: number): never {
    throw new EpochscopeError('format', `${this.file}: ${message} (byte ${this.byte + at})`, {
      file: this.file,
      byte: this.byte + at,
    });
  }

  *fields(): Generator<Field & { at: number }> {
    const { bytes } = this;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const cursor = { at: 0 };
    while (cursor.at < bytes.length) {
      const begin = cursor.at;
      if (++this.read.fields > MAX_PROTOBUF_FIELDS)
        this.fail(`expected at most ${MAX_PROTOBUF_FIELDS} fields`, begin);
      const tag = this.short(cursor) ?? Number(this.varint(cursor));
      const number = Math.floor(tag / 8);
      const wire = tag % 8;
      if (number < 1 || number > 536_870_911) this.fail(`expected a field, got tag ${tag}`, begin);
      if (wire === 0) yield { number, wire, value: this.varint(cursor), bytes: NOTHING, at: begin };
      else if (wire === 1 || wire === 5) {
        const width = wire === 1 ? 8 : 4;
        if (bytes.length - cursor.at < width) this.fail('the file ends inside a number', cursor.at);
        const value =
          wire === 1 ? view.getBigUint64(cursor.at, true) : BigInt(view.getUint32(cursor.at, true));
        cursor.at += width;
        yield { number, wire, value, bytes: NOTHING, at: begin };
      } else if (wire === 2) {
        const length = this.short(cursor) ?? Number(this.varint(cursor));
        if (length > bytes.length - cursor.at)
          this.fail(
            `expected ${length} bytes for field ${number}, got ${bytes.length - cursor.at}`,
            cursor.at,
          );
        cursor.at += length;
        yield {
          number,
          wire,
          value: 0n,
          bytes: bytes.subarray(cursor.at - length, cursor.at),
          at: cursor.at - length,
        };
      } else this.fail(`expected a field of a known kind, got ${wire}`, begin);
    }
  }

  /** Now and then, while fields are read: let others have their turn. Throws `cancelled`. */
  async rest(): Promise<void> {
    if (this.read.fields < this.read.rest) return;
    this.read.rest = this.read.fields + TURN_FIELDS;
    await rest(this.file);
  }

  /** The message inside a bytes field. */
  inside(field: Field & { at: number }): Message {
    if (field.wire !== 2) this.fail(`field ${field.number}: expected a message`, field.at);
    return new Message(field.bytes, this.file, this.byte + field.at, this.depth + 1, this.read);
  }

  /** A number of one to four bytes, which nearly all are; null, and nothing read, for a longer one. */
  short(cursor: { at: number }): number | null {
    let value = 0;
    for (let i = 0; i < 4; i++) {
      const byte = this.bytes[cursor.at + i] ?? 128;
      value |= (byte & 127) << (7 * i);
      if (byte > 127) continue;
      cursor.at += i + 1;
      return value;
    }
    return null;
  }

  varint(cursor: { at: number }): bigint {
    const short = this.short(cursor);
    if (short !== null) return BigInt(short);
    let value = 0n;
    for (let i = 0; i < 10; i++) {
      if (cursor.at >= this.bytes.length) this.fail('the file ends inside a number', cursor.at);
      const byte = this.bytes[cursor.at++]!;
      value |= BigInt(byte & 127) << BigInt(7 * i);
      if (byte < 128) return BigInt.asUintN(64, value);
    }
    return this.fail('a number is longer than 10 bytes', cursor.at);
  }
}

export const signed = (value: bigint): number => Number(BigInt.asIntN(64, value));
export const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** Bytes of packed numbers between two looks at the clock. */
const TURN = 1 << 20;

/** How many numbers a packed field holds. Throws `format` past `most`. */
export async function countOf(
  message: Message,
  field: Field & { at: number },
  most = Number.POSITIVE_INFINITY,
) {
  const { bytes } = field;
  // The last byte of each number has no mark of going on.
  let count = 0;
  for (let from = 0; from < bytes.length; from += TURN) {
    const to = Math.min(bytes.length, from + TURN);
    for (let i = from; i < to; i++) if (bytes[i]! < 128) count++;
    if (count > most)
      message.fail(`field ${field.number}: expected at most ${most} numbers, got more`, field.at);
    await rest(message.file);
  }
  return count;
}

/** Each number of a packed field; short ones as numbers, as a BigInt each would take ten times as long. */
export async function eachNumber(
  message: Message,
  field: Field & { at: number },
  see: (value: number | bigint) => void,
): Promise<void> {
  const { bytes } = field;
  const inner = new Message(bytes, message.file, message.byte + field.at, message.depth + 1);
  const cursor = { at: 0 };
  for (let i = 0; cursor.at < bytes.length; i++) {
    if (i % TURN_NUMBERS === 0) await rest(message.file);
    see(inner.short(cursor) ?? BigInt.asIntN(64, inner.varint(cursor)));
  }
}
const TURN_NUMBERS = 1 << 16;

/** A repeated number field, packed or one by one, of at most `most` numbers: they are counted before any is kept. */
export async function numbersOf(
  message: Message,
  field: Field & { at: number },
  most: number,
): Promise<number[]> {
  if (field.wire !== 2) return [signed(field.value)];
  await countOf(message, field, most);
  const values: number[] = [];
  await eachNumber(message, field, (value) => values.push(Number(value)));
  return values;
}

/** float or double values, packed or one by one. */
export function floatsOf(field: Field, width: 4 | 8): Float32Array | Float64Array {
  if (field.wire !== 2) {
    FIXED.setBigUint64(0, field.value, true);
    return width === 4
      ? Float32Array.of(FIXED.getFloat32(0, true))
      : Float64Array.of(FIXED.getFloat64(0, true));
  }
  const { buffer } = new Uint8Array(
    field.bytes.subarray(0, field.bytes.length - (field.bytes.length % width)),
  );
  return width === 4 ? new Float32Array(buffer) : new Float64Array(buffer);
}
const FIXED = new DataView(new ArrayBuffer(8));
