import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { constants, deflateRawSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

// Small files that would unpack to gigabytes, or whose description takes many times its size: each read by a process of its own, whose
// memory grows by at most 256 MB beyond the file, whether it is read or refused.
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'epochscope-bombs-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const text = (value: string) => Buffer.from(value);
/** So many millions of zeros, deflated. */
const megabyte = deflateRawSync(new Uint8Array(1e6), { finishFlush: constants.Z_SYNC_FLUSH });
const zeros = (n: number) => Buffer.concat([...Array<Buffer>(n).fill(megabyte), Buffer.of(3, 0)]);

function zip(path: string, packed: Buffer, unpacked: number): Buffer {
  const name = text(path);
  const fields = Buffer.alloc(16);
  fields.writeUInt16LE(8, 2);
  const sizes = Buffer.alloc(12);
  sizes.writeUInt32LE(packed.length, 0);
  sizes.writeUInt32LE(unpacked, 4);
  sizes.writeUInt16LE(name.length, 8);
  const local = Buffer.concat([text('PK\x03\x04'), Buffer.of(20, 0, 0, 0, 8, 0), Buffer.alloc(8), sizes]);
  const central = Buffer.concat([
    text('PK\x01\x02'),
    Buffer.of(20, 0, 20, 0, 0, 0, 8, 0),
    Buffer.alloc(8),
    sizes,
    Buffer.alloc(14),
  ]);
  const begin = Buffer.concat([local, name, packed]);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(central.length + name.length, 12);
  end.writeUInt32LE(begin.length, 16);
  return Buffer.concat([begin, central, name, end]);
}
function safetensors(header: string): Buffer {
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([size, text(header)]);
}
function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return Buffer.of(...bytes, rest);
}
const field = (number: number, bytes: Uint8Array) =>
  Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes]);
const onnx = (graph: Buffer) => Buffer.concat([field(8, Buffer.of(0x10, 13)), field(7, graph)]);
const many = (n: number, item: (i: number) => string) => Array.from({ length: n }, (_, i) => item(i)).join();

const BOMBS: [name: string, reader: string, bytes: () => Buffer, outcome: RegExp][] = [
  ['an array of 1.9 GB', 'npz', () => zip('a.npy', zeros(1900), 1.9e9), /^memory: .*`memory: 1.9GB`/],
  ['a table of 800 MB', 'matrix', () => gzipSync(Buffer.alloc(8e8, '0,0,0,0\n')), /^memory: .*`memory/],
  ['one line of 400 MB', 'labels', () => gzipSync(Buffer.alloc(4e8, '0')), /^(format|memory): /],
  ['1.9 million columns', 'matrix', () => text(`${'1,'.repeat(1.9e6)}1\n`), /./],
  ['4 MB of digits', 'matrix', () => text(`0\n${'1'.repeat(3.9e6)}x\n`), /^format: /],
  [
    'a header of 53 MB',
    'safetensors',
    () => safetensors(`{${many(9e5, (i) => `"t${i}":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}`)}}`),
    /^format: .*12000000/,
  ],
  ['a million keys', 'safetensors', () => safetensors(`{${many(1e6, (i) => `"${i}":0`)}}`), /^format: /],
  ['4 million objects', 'safetensors', () => safetensors(`{"a":[${many(3.9e6, () => '{}')}]}`), /^format: /],
  ['30 million dimensions', 'onnx', () => onnx(field(5, field(1, Buffer.alloc(30e6)))), /^format: /],
  [
    '30 million numbers of an attribute',
    'onnx',
    () => onnx(field(1, field(5, field(8, Buffer.alloc(30e6))))),
    /^format: /,
  ],
  [
    'a million tensors of nothing',
    'onnx',
    () =>
      onnx(
        Buffer.concat(
          Array.from({ length: 1e6 }, (_, i) =>
            field(5, Buffer.concat([Buffer.of(16, 1), field(1, Buffer.of(0)), field(8, text(`${i}`))])),
          ),
        ),
      ),
    /^format: /,
  ],
  [
    'two million fields of two numbers',
    'onnx',
    () => onnx(field(5, Buffer.concat(Array<Buffer>(2e6).fill(field(5, Buffer.alloc(2)))))),
    /^format: /,
  ],
];

const child = fileURLToPath(new URL('./read-cost.mjs', import.meta.url));
describe('a file that would take gigabytes', () => {
  it.each(BOMBS)('%s', { timeout: 120_000 }, async (_, reader, make, outcome) => {
    const bytes = make();
    const path = join(folder, 'file');
    await writeFile(path, bytes);
    const printed = await new Promise<string>((resolve, reject) =>
      execFile(process.execPath, [child, reader, path], (error, stdout) =>
        error ? reject(error) : resolve(stdout),
      ),
    );
    const cost = JSON.parse(printed) as { memory: number; outcome: string };
    expect(cost.outcome).toMatch(outcome);
    expect(cost.outcome).not.toContain('DEFECT');
    expect(cost.memory).toBeLessThan(256e6 + bytes.length);
  });
});
