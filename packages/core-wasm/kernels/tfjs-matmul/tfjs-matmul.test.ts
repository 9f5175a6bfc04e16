import { beforeAll, describe, expect, it } from 'vitest';
import { guarded, normals, type TfjsRoom, tfjsRoom } from '../../bench/tfjs.js';
import { matMul, type Sides } from './bench.js';
import { matMulReference } from './reference.js';

let room: TfjsRoom;
beforeAll(async () => {
  room = await tfjsRoom();
});

function check(sides: Sides, { bias = false, relu = false } = {}, seed = 1): void {
  const { m, k, n } = sides;
  const a = normals(m * k, seed);
  const b = normals(k * n, seed + 1);
  const added = normals(n, seed + 2);
  const { bytes, call } = matMul(room.kernels, sides, relu);
  const [got] = guarded(room, [a, b, added], [4 * m * n, bytes], ([x, y, z], [out, scratch]) =>
    call(x!, y!, out!, scratch!, bias ? z! : 0),
  );
  const size = [m, k, n] as const;
  const want = matMulReference(a, b, size, { ...sides, bias: bias ? added : undefined, relu });
  const sizes = matMulReference(a.map(Math.abs), b.map(Math.abs), size, {
    ...sides,
    bias: bias ? added.map(Math.abs) : undefined,
  });
  want.forEach((value, i) => {
    // A float32 sum of n products is within n units in the last place of the sum of their sizes.
    const bound = (k + 2) * 2 ** -24 * sizes[i]!;
    expect(
      Math.abs(got![i]! - value),
      `${JSON.stringify({ ...sides, bias, relu })} at ${i}`,
    ).toBeLessThanOrEqual(bound);
  });
}

describe('matMul', () => {
  it('equals the definition at the edges of rows (4) and columns (8), each side turned or not, and keeps guards', () => {
    for (const m of [1, 3, 4, 5, 13])
      for (const n of [1, 7, 8, 9, 25])
        for (const k of [1, 2, 17])
          for (const transposeA of [false, true])
            for (const transposeB of [false, true]) check({ m, k, n, transposeA, transposeB });
  });

  it('adds a bias and cuts at 0, alone and together', () => {
    for (const n of [1, 7, 8, 9, 20])
      for (const [bias, relu] of [
        [true, false],
        [false, true],
        [true, true],
      ])
        check({ m: 5, k: 6, n }, { bias, relu }, n);
  });

  it('takes empty sides: no inner side gives the bias, no rows or columns write nothing', () => {
    check({ m: 3, k: 0, n: 9 }, { bias: true });
    check({ m: 3, k: 0, n: 9 });
    check({ m: 0, k: 4, n: 9 });
    check({ m: 4, k: 4, n: 0 });
  });

  it('carries NaN and infinity to their own rows and columns only', () => {
    const { bytes, call } = matMul(room.kernels, { m: 2, k: 2, n: 9 });
    const b = new Float32Array(18).fill(1);
    b[4] = Infinity;
    const [c] = guarded(
      room,
      [Float32Array.of(1, 1, Number.NaN, 1), b],
      [72, bytes],
      ([x, y], [out, scratch]) => call(x!, y!, out!, scratch!),
    );
    expect([...c!.subarray(0, 9)]).toEqual([2, 2, 2, 2, Infinity, 2, 2, 2, 2]);
    expect([...c!.subarray(9)].every(Number.isNaN)).toBe(true);
  });
});
