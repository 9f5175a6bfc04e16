import { beforeAll, describe, expect, it } from 'vitest';
import { golden } from '../../../../tests/golden.js';
import { uniform } from '../../bench/data.js';
import { type Kernels, loadKernels } from '../../src/load.js';
import { labelRegions, labelRegionsBytes } from './index.js';
import { labelRegionsReference } from './reference.js';

let kernels: Kernels;
beforeAll(async () => {
  kernels = await loadKernels();
});

const BOTH = [4, 8] as const;
type Shape = [number, number, number];

function random([count, height, width]: Shape, seed: number, share: number): Uint8Array {
  const u = uniform(seed);
  return Uint8Array.from({ length: count * height * width }, () => (u() < share ? 1 + 254 * u() : 0));
}
const picture = (...rows: string[]) => ({
  masks: Uint8Array.from([...rows.join('')], (c) => (c === '#' ? 1 : 0)),
  shape: [1, rows.length, rows[0]!.length] as Shape,
});

/** A spiral of one pixel's width, with one pixel between its arms. */
function spiral(side: number): { masks: Uint8Array; shape: Shape } {
  const masks = new Uint8Array(side * side);
  const free = (y: number, x: number) =>
    y < 0 || x < 0 || y >= side || x >= side || masks[y * side + x] === 0;
  let [y, x, dy, dx] = [0, 0, 0, 1];
  masks[0] = 1;
  for (let turns = 0; turns < 2; ) {
    const inside = y + dy >= 0 && y + dy < side && x + dx >= 0 && x + dx < side;
    // Turns before it would touch its own arm.
    if (inside && masks[(y + dy) * side + x + dx] === 0 && free(y + 2 * dy, x + 2 * dx)) {
      y += dy;
      x += dx;
      masks[y * side + x] = 1;
      turns = 0;
    } else {
      [dy, dx] = [dx, -dy];
      turns++;
    }
  }
  return { masks, shape: [1, side, side] };
}

describe('labelRegions', () => {
  it('equals flood fill at every lane edge of width, for sparse to dense masks', () => {
    for (const width of [1, 2, 3, 7, 8, 15, 16, 17, 28, 31, 32, 33, 47, 48, 49, 64, 65, 100]) {
      for (const share of [0.05, 0.3, 0.5, 0.6, 0.9]) {
        for (const neighbours of BOTH) {
          const shape: Shape = [4, 1 + (width % 13), width];
          const seed = width * 100 + share * 10;
          const masks = random(shape, seed, share);
          expect(
            labelRegions(kernels, masks, shape, { neighbours }),
            `${shape} seed=${seed} share=${share} neighbours=${neighbours}`,
          ).toEqual(labelRegionsReference(masks, shape, neighbours));
        }
      }
    }
  });

  it('equals scipy.ndimage.label on 28×28 masks', () => {
    const masks = golden('regions_masks');
    const shape = masks.shape as Shape;
    for (const neighbours of BOTH) {
      const want = golden(`regions_labels${neighbours}`);
      const got = labelRegions(kernels, Uint8Array.from(masks.data), shape, { neighbours });
      expect([...got.counts]).toEqual([...golden(`regions_counts${neighbours}`).data]);
      expect(got.labels).toEqual(Uint32Array.from(want.data));
    }
  });

  it('numbers regions by their first pixel, row by row, anew in each mask', () => {
    const { masks } = picture('.#.#', '##.#', '...#', '#..#', '....', '#..#');
    const got = labelRegions(kernels, masks, [2, 3, 4], { neighbours: 4 });
    expect([...got.labels]).toEqual([0, 1, 0, 2, 1, 1, 0, 2, 0, 0, 0, 2, 1, 0, 0, 2, 0, 0, 0, 0, 3, 0, 0, 4]);
    expect([...got.counts]).toEqual([2, 4]);
    expect([...got.sizes]).toEqual([3, 3, 1, 1, 1, 1]);
  });

  it('joins corners under 8 neighbours only, and never round the edge of a row', () => {
    const corner = picture('#.', '.#');
    expect(labelRegions(kernels, corner.masks, corner.shape, { neighbours: 4 }).counts[0]).toBe(2);
    expect(labelRegions(kernels, corner.masks, corner.shape, { neighbours: 8 }).counts[0]).toBe(1);
    for (const width of [3, 16, 17, 32]) {
      const last = picture(`${'.'.repeat(width - 1)}#`, `#${'.'.repeat(width - 1)}`, '.'.repeat(width));
      for (const neighbours of BOTH)
        expect(labelRegions(kernels, last.masks, last.shape, { neighbours }).counts[0], `${width}`).toBe(2);
    }
  });

  it('knows a chequerboard, a comb joined at its end, and a spiral', () => {
    for (const side of [1, 2, 5, 16, 17, 33]) {
      const board = Uint8Array.from(
        { length: side * side },
        (_, p) => ((Math.floor(p / side) + (p % side)) % 2) ^ 1,
      );
      const squares = board.reduce((a, b) => a + b, 0);
      const shape: Shape = [1, side, side];
      expect(labelRegions(kernels, board, shape, { neighbours: 4 }).counts[0]).toBe(
        labelRegionsReference(board, shape, 4).counts[0],
      );
      if (side % 2) expect(labelRegions(kernels, board, shape, { neighbours: 4 }).counts[0]).toBe(squares);
      expect(labelRegions(kernels, board, shape, { neighbours: 8 }).counts[0]).toBe(
        labelRegionsReference(board, shape, 8).counts[0],
      );
    }
    // Teeth that meet only in the last row: every tooth is merged late.
    const comb = picture('#.#.#.#.#.#.#.#.#.#', '#.#.#.#.#.#.#.#.#.#', '###################');
    const combed = labelRegions(kernels, comb.masks, comb.shape, { neighbours: 4 });
    expect([...combed.sizes]).toEqual([39]);
    for (const side of [5, 28, 64]) {
      const { masks, shape } = spiral(side);
      const arm = masks.reduce((a, b) => a + b, 0);
      expect(arm).toBeGreaterThan((side * side) / 3);
      for (const neighbours of BOTH)
        expect([...labelRegions(kernels, masks, shape, { neighbours }).sizes], `side ${side}`).toEqual([arm]);
    }
  });

  it('takes empty, full, single-pixel and one-row masks, and sides of 0', () => {
    for (const neighbours of BOTH) {
      expect(labelRegions(kernels, new Uint8Array(60), [3, 4, 5], { neighbours })).toEqual({
        labels: new Uint32Array(60),
        counts: new Uint32Array(3),
        sizes: new Uint32Array(0),
      });
      expect(labelRegions(kernels, new Uint8Array(60).fill(255), [3, 4, 5], { neighbours })).toEqual({
        labels: new Uint32Array(60).fill(1),
        counts: Uint32Array.of(1, 1, 1),
        sizes: Uint32Array.of(20, 20, 20),
      });
      expect([...labelRegions(kernels, Uint8Array.of(7), [1, 1, 1], { neighbours }).labels]).toEqual([1]);
      const line = Uint8Array.of(1, 1, 0, 1, 0, 0, 1);
      expect([...labelRegions(kernels, line, [1, 1, 7], { neighbours }).labels]).toEqual([
        1, 1, 0, 2, 0, 0, 3,
      ]);
      expect([...labelRegions(kernels, line, [1, 7, 1], { neighbours }).sizes]).toEqual([2, 1, 1]);
      for (const shape of [
        [0, 4, 4],
        [2, 0, 4],
        [2, 4, 0],
      ] as Shape[])
        expect(labelRegions(kernels, new Uint8Array(0), shape, { neighbours }).counts.length).toBe(shape[0]);
    }
  });

  it('goes through more masks than a chunk holds, tells of it and can be cancelled', () => {
    // Two chunks and a bit.
    const shape: Shape = [9, 2048, 1024];
    const masks = new Uint8Array(9 * 2048 * 1024);
    for (let m = 0; m < 9; m++) masks.fill(1, m * 2 ** 21, m * 2 ** 21 + 10 * (m + 1));
    const told: number[] = [];
    const got = labelRegions(kernels, masks, shape, { neighbours: 4, onProgress: (done) => told.push(done) });
    expect([...got.sizes]).toEqual([10, 20, 30, 40, 50, 60, 70, 80, 90]);
    expect(told).toEqual([0, 4, 8, 9]);
    const controller = new AbortController();
    const before = kernels.arena.used;
    expect(() =>
      labelRegions(kernels, masks, shape, {
        neighbours: 4,
        signal: controller.signal,
        onProgress: () => controller.abort(),
      }),
    ).toThrow('cancelled');
    expect(kernels.arena.used).toBe(before);
  });

  it('keeps guard words around kernel outputs', () => {
    const fn = kernels.exports as unknown as Record<string, (...x: number[]) => number>;
    const { arena } = kernels;
    for (const [count, height, width] of [
      [1, 1, 1],
      [3, 5, 15],
      [2, 7, 16],
      [2, 7, 17],
      [5, 28, 28],
      [1, 3, 49],
    ] as Shape[]) {
      // A chequerboard fills runs and sizes to the last place.
      const pixels = count * height * width;
      const masks = Uint8Array.from({ length: pixels }, (_, i) => {
        const p = i % (height * width);
        return ((Math.floor(p / width) + (p % width)) % 2) ^ 1;
      });
      const want = labelRegionsReference(masks, [count, height, width], 4);
      const lengths = [pixels, count, want.sizes.length, 3 * height * Math.ceil(width / 2)];
      const at = lengths.map((length) => {
        const pointer = arena.alloc(4 * (length + 32));
        arena.u32(pointer, length + 32).fill(0xdeadbeef);
        return pointer;
      });
      const maskAt = arena.alloc(pixels + 16);
      // What lies behind the last mask must not matter.
      arena
        .u8(maskAt, pixels + 16)
        .fill(1)
        .set(masks);
      const inside = at.map((pointer) => pointer + 64) as [number, number, number, number];
      expect(fn.labelRegions!(maskAt, ...inside, count, height, width, 0)).toBe(want.sizes.length);
      expect(arena.u32(inside[0], pixels).slice()).toEqual(want.labels);
      expect(arena.u32(inside[2], want.sizes.length).slice()).toEqual(want.sizes);
      at.forEach((pointer, i) => {
        const all = arena.u32(pointer, lengths[i]! + 32);
        const guards = [...all.subarray(0, 16), ...all.subarray(16 + lengths[i]!)];
        expect(
          guards.every((x) => x === 0xdeadbeef),
          `output ${i} of ${count}×${height}×${width}`,
        ).toBe(true);
      });
      for (const pointer of [...at, maskAt]) arena.dealloc(pointer);
    }
  });

  it('refuses lengths, sides, neighbours and sizes that do not fit', () => {
    const call = (shape: Shape, neighbours = 4) =>
      labelRegions(kernels, new Uint8Array(12), shape, { neighbours: neighbours as 4 });
    expect(() => call([1, 3, 5])).toThrow('1×3×5 needs 15 bytes, got 12');
    expect(() => call([1, 3, 4.5])).toThrow('three integers');
    expect(() => call([1, -3, -4])).toThrow('three integers');
    expect(() => call([1, 3, 4], 6)).toThrow('expected 4 or 8, got 6');
    const large = { length: 65_000 * 65_000 };
    Object.setPrototypeOf(large, Uint8Array.prototype);
    expect(() => labelRegions(kernels, large as Uint8Array, [1, 65_000, 65_000], { neighbours: 4 })).toThrow(
      /needs \d|needs 4225000000/,
    );
    expect(labelRegionsBytes([100, 28, 28], 4)).toBeGreaterThan(100 * 784 * 5);
    expect(labelRegionsBytes([1e6, 28, 28], 4)).toBeLessThan(7.1 * 2 ** 23);
  });
});
