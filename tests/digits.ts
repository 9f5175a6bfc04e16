import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A tiny IDX folder: two kinds of pictures that a net tells apart at once. */
export function writeDigits(place: string, tests = 60): void {
  const idx = (shape: number[], data: Uint8Array) =>
    Buffer.concat([
      Buffer.from([
        0,
        0,
        8,
        shape.length,
        ...shape.flatMap((n) => [n >> 24, (n >> 16) & 255, (n >> 8) & 255, n & 255]),
      ]),
      data,
    ]);
  for (const [part, count] of [
    ['train', 200],
    ['t10k', tests],
  ] as const) {
    const images = new Uint8Array(count * 784);
    const labels = new Uint8Array(count);
    for (let i = 0; i < count; i++) {
      labels[i] = i % 2;
      for (let p = 0; p < 784; p++)
        images[i * 784 + p] = (p % 28 < 14 ? 0 : 255) * (i % 2 ? 1 : 0) + ((p * 7 + i * 13) % 50);
    }
    writeFileSync(join(place, `${part}-images-idx3-ubyte`), idx([count, 28, 28], images));
    writeFileSync(join(place, `${part}-labels-idx1-ubyte`), idx([count], labels));
  }
}
