// TensorBoard's event files: records of TFRecord (length, masked CRC-32C, bytes, masked CRC-32C), each a protocol buffer `Event` with
// one value. Written by hand, as four kinds of fields are all there is.

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  return crc;
});

/** CRC-32C (Castagnoli), as TFRecord masks it. */
function maskedCrc(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ TABLE[(crc ^ byte) & 255]!;
  crc = ~crc >>> 0;
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

function record(data: Uint8Array): Buffer {
  const head = Buffer.alloc(12);
  head.writeBigUInt64LE(BigInt(data.length), 0);
  head.writeUInt32LE(maskedCrc(head.subarray(0, 8)), 8);
  const tail = Buffer.alloc(4);
  tail.writeUInt32LE(maskedCrc(data), 0);
  return Buffer.concat([head, data, tail]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value % 128) | 128);
  return Buffer.from([...bytes, value]);
}
const bytesField = (field: number, bytes: Uint8Array) =>
  Buffer.concat([varint(8 * field + 2), varint(bytes.length), bytes]);
const textField = (field: number, text: string) => bytesField(field, Buffer.from(text));
const intField = (field: number, value: number) => Buffer.concat([varint(8 * field), varint(value)]);
function floatField(field: number, value: number): Buffer {
  const bytes = Buffer.alloc(5, 8 * field + 5);
  bytes.writeFloatLE(value, 1);
  return bytes;
}
function doubleField(field: number, value: number): Buffer {
  const bytes = Buffer.alloc(9, 8 * field + 1);
  bytes.writeDoubleLE(value, 1);
  return bytes;
}

export interface BoardPicture {
  png: Uint8Array;
  width: number;
  height: number;
}

/** Where it stands on TensorBoard's axis: a whole number from 0. */
export interface BoardValue {
  tag: string;
  step: number;
  value: number | BoardPicture;
}

/**
 * An event file with these values in their order; all are said to be of `time` (seconds since 1970). Numbers become float32, as TensorBoard
 * keeps them.
 */
export function encodeEvents(values: readonly BoardValue[], time: number): Uint8Array {
  const records = [record(Buffer.concat([doubleField(1, time), textField(3, 'brain.Event:2')]))];
  for (const { tag, step, value } of values) {
    const content =
      typeof value === 'number'
        ? floatField(2, value)
        : bytesField(
            4,
            Buffer.concat([
              intField(1, value.height),
              intField(2, value.width),
              // Grey.
              intField(3, 1),
              bytesField(4, value.png),
            ]),
          );
    const summary = bytesField(1, Buffer.concat([textField(1, tag), content]));
    records.push(record(Buffer.concat([doubleField(1, time), intField(2, step), bytesField(5, summary)])));
  }
  return Buffer.concat(records);
}
