import { uniform } from '../../bench/data.js';
import type { KernelBench } from '../../bench/types.js';
import { labelRegions, labelRegionsBytes } from './index.js';

/** Masks as pruning makes them (blobs: noise smoothed over 3×3, the larger half kept), or plain noise. */
function masksOf(count: number, side: number, kind: 'blobs' | 'noise' | 'full'): Uint8Array {
  const u = uniform(side + count);
  const pixels = side * side;
  const masks = new Uint8Array(count * pixels);
  if (kind === 'full') return masks.fill(1);
  if (kind === 'noise') return masks.map(() => (u() < 0.5 ? 1 : 0));
  const noise = new Float32Array(pixels);
  for (let m = 0; m < count; m++) {
    for (let p = 0; p < pixels; p++) noise[p] = u() - 0.5;
    for (let y = 0; y < side; y++)
      for (let x = 0; x < side; x++) {
        let sum = 0;
        for (let dy = -1; dy <= 1; dy++)
          for (let dx = -1; dx <= 1; dx++) sum += noise[(y + dy) * side + x + dx] ?? 0;
        masks[m * pixels + y * side + x] = sum > 0 ? 1 : 0;
      }
  }
  return masks;
}

/** The loop one would write: a pixel's label from its left and upper neighbour, union-find, second pass. */
export function plainLabels(masks: Uint8Array, count: number, side: number): Uint32Array {
  const pixels = side * side;
  const labels = new Uint32Array(masks.length);
  const parent = new Uint32Array(pixels / 2 + 2);
  const names = new Uint32Array(pixels / 2 + 2);
  const sizes: number[] = [];
  const rootOf = (a: number) => {
    while (parent[a] !== a) a = parent[a] = parent[parent[a]!]!;
    return a;
  };
  for (let m = 0; m < count; m++) {
    const base = m * pixels;
    let next = 1;
    for (let y = 0; y < side; y++) {
      for (let x = 0; x < side; x++) {
        const p = base + y * side + x;
        if (!masks[p]) continue;
        const left = x ? labels[p - 1]! : 0;
        const up = y ? labels[p - side]! : 0;
        if (!left && !up) {
          parent[next] = next;
          labels[p] = next++;
        } else if (left && up && left !== up) {
          const a = rootOf(left);
          const b = rootOf(up);
          if (a < b) parent[b] = a;
          else parent[a] = b;
          labels[p] = Math.min(a, b);
        } else labels[p] = left || up;
      }
    }
    let found = 0;
    const first = sizes.length;
    for (let i = 1; i < next; i++) {
      if (parent[i] === i) {
        names[i] = ++found;
        sizes.push(0);
      } else names[i] = names[rootOf(i)]!;
    }
    for (let p = base; p < base + pixels; p++) {
      if (!labels[p]) continue;
      labels[p] = names[labels[p]!]!;
      sizes[first + labels[p]! - 1]!++;
    }
  }
  return labels;
}

export const bench: KernelBench = {
  kernel: 'label-regions',
  *cases({ kernels, quick }) {
    const cases: [number, number, 'blobs' | 'noise' | 'full'][] = quick
      ? [[100, 28, 'blobs']]
      : [
          [100, 28, 'blobs'],
          [10_000, 28, 'blobs'],
          [10_000, 28, 'noise'],
          [10_000, 28, 'full'],
          [100, 224, 'blobs'],
        ];
    for (const [count, side, kind] of cases) {
      const masks = masksOf(count, side, kind);
      const shape = [count, side, side] as const;
      yield {
        work: 'regions, 4 neighbours',
        data: `${count} masks of ${side}×${side}, ${kind}`,
        elements: masks.length,
        bytes: labelRegionsBytes(shape, 4),
        contenders: [
          { name: 'core-wasm', run: () => labelRegions(kernels, masks, shape, { neighbours: 4 }) },
          { name: 'plain JavaScript', run: () => plainLabels(masks, count, side) },
        ],
        python: {
          work: ['scipy ndimage.label'],
          input: () => ({ data: Float32Array.from(masks), shape: [count, side * side] }),
          k: side,
        },
      };
    }
  },
};
