import { guard } from '@epochscope/core-wasm';
import { readMaybeGzipped } from './gzip.js';
import type { ByteSource } from './types.js';

// CIFAR-10's binary version: records of one label byte and 3072 bytes, channel by channel.
const SIDE = 32;
const PLANE = SIDE * SIDE;
const RECORD = 1 + 3 * PLANE;

/** Reads a CIFAR-10 batch, plain or gzipped, as uint8 n × 32 × 32 × 3. Throws `format`. */
export async function readCifar10(
  source: ByteSource,
): Promise<{ images: Uint8Array; labels: Uint8Array; count: number }> {
  const bytes = await readMaybeGzipped(source);
  guard(
    bytes.length > 0 && bytes.length % RECORD === 0,
    'format',
    () =>
      `${source.name}: expected CIFAR-10 records of ${RECORD} bytes, got ${bytes.length} bytes, which is no multiple`,
    { file: source.name, got: bytes.length },
  );
  const count = bytes.length / RECORD;
  const images = new Uint8Array(count * 3 * PLANE);
  const labels = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    const from = i * RECORD;
    labels[i] = bytes[from]!;
    guard(
      labels[i]! < 10,
      'format',
      () => `${source.name}: record ${i}: expected a label 0 … 9, got ${labels[i]} (byte ${from})`,
      { file: source.name, byte: from },
    );
    for (let c = 0; c < 3; c++) {
      for (let p = 0; p < PLANE; p++) images[(i * PLANE + p) * 3 + c] = bytes[from + 1 + c * PLANE + p]!;
    }
  }
  return { images, labels, count };
}
