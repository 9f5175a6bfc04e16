import { describe, expect, it } from 'vitest';
import { decodeElements, toFloat32, toFloat64 } from './dtypes.js';

describe('numbers of any dtype as floats', () => {
  it('rounds 64-bit integers as Number does, at the edges of their range too', () => {
    const integers = [
      0n,
      1n,
      -1n,
      2n ** 53n + 1n,
      -(2n ** 53n) - 3n,
      2n ** 63n - 1n,
      -(2n ** 63n),
      999_999_999_999_999n,
    ];
    const signed = BigInt64Array.from(integers);
    expect([...toFloat64(signed)]).toEqual(integers.map(Number));
    expect([...toFloat32(signed)]).toEqual(integers.map((x) => Math.fround(Number(x))));
    const unsigned = BigUint64Array.of(0n, 2n ** 32n, 2n ** 63n + 1025n, 2n ** 64n - 1n);
    expect([...toFloat64(unsigned)]).toEqual([...unsigned].map(Number));
    // A view that does not begin its buffer.
    expect([...toFloat64(signed.subarray(3, 5))]).toEqual([
      Number(2n ** 53n + 1n),
      Number(-(2n ** 53n) - 3n),
    ]);
  });

  it('shares what is float32 already and rounds float64 once', () => {
    const floats = Float32Array.of(1, 2);
    expect(toFloat32(floats)).toBe(floats);
    expect([...toFloat32(Float64Array.of(0.1, 1e300))]).toEqual([Math.fround(0.1), Number.POSITIVE_INFINITY]);
  });

  it('turns big-endian numbers of each width round', () => {
    const bytes = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
    expect([...decodeElements(bytes, 'uint16', 4, true)]).toEqual([0x0102, 0x0304, 0x0506, 0x0708]);
    expect([...decodeElements(bytes, 'uint32', 2, true)]).toEqual([0x01020304, 0x05060708]);
    expect([...decodeElements(bytes, 'uint64', 1, true)]).toEqual([0x0102030405060708n]);
    expect([...bytes]).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });
});
