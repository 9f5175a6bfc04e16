import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** MNIST's two files of a part, of 28 × 28 pictures. Answers their paths. */
export function writeIdx(
  place: string,
  part: 'train' | 't10k',
  images: Uint8Array,
  labels: Uint8Array,
): string[] {
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
  const files = [join(place, `${part}-images-idx3-ubyte`), join(place, `${part}-labels-idx1-ubyte`)] as const;
  writeFileSync(files[0], idx([labels.length, 28, 28], images));
  writeFileSync(files[1], idx([labels.length], labels));
  return [...files];
}

/** A tiny IDX folder: two kinds of pictures that a net tells apart at once. */
export function writeDigits(place: string, tests = 60): void {
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
    writeIdx(place, part, images, labels);
  }
}
