import { EpochscopeError } from '@epochscope/core-wasm';

// Protocol Buffers on the wire: https://protobuf.dev/programming-guides/encoding/. Reading only, and only as fields.

/** Messages in messages. */
export const MAX_PROTOBUF_DEPTH = 32;

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
      const tag = Number(this.varint(cursor));
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
        const length = Number(this.varint(cursor));
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

  /** The message inside a bytes field. */
  inside(field: Field & { at: number }): Message {
    if (field.wire !== 2) this.fail(`field ${field.number}: expected a message`, field.at);
    return new Message(field.bytes, this.file, this.byte + field.at, this.depth + 1);
  }

  varint(cursor: { at: number }): bigint {
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

/** A repeated number field, packed or one by one, of at most `most` numbers: they are counted before any is kept. */
export function numbersOf(
  message: Message,
  field: Field & { at: number },
  most = Number.POSITIVE_INFINITY,
): BigInt64Array {
  if (field.wire !== 2) return BigInt64Array.of(BigInt.asIntN(64, field.value));
  // The last byte of each number has no mark of going on.
  let count = 0;
  for (let i = 0; i < field.bytes.length; i++) if (field.bytes[i]! < 128) count++;
  if (count > most)
    message.fail(`field ${field.number}: expected at most ${most} numbers, got ${count}`, field.at);
  const inner = new Message(field.bytes, message.file, message.byte + field.at, message.depth + 1);
  const values = new BigInt64Array(count);
  const cursor = { at: 0 };
  for (let i = 0; cursor.at < field.bytes.length; i++) values[i] = BigInt.asIntN(64, inner.varint(cursor));
  return values;
}

/** float or double values, packed or one by one. */
export function floatsOf(field: Field, width: 4 | 8): Float64Array {
  const bytes = field.wire === 2 ? field.bytes : null;
  if (!bytes) {
    const view = new DataView(new ArrayBuffer(8));
    view.setBigUint64(0, field.value, true);
    return Float64Array.of(width === 4 ? view.getFloat32(0, true) : view.getFloat64(0, true));
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const out = new Float64Array(Math.floor(bytes.length / width));
  for (let i = 0; i < out.length; i++)
    out[i] = width === 4 ? view.getFloat32(4 * i, true) : view.getFloat64(8 * i, true);
  return out;
}
