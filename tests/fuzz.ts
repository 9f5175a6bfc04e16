// A byte mutator and a watch on allocations, for fuzz.test.ts.

/** Seeded numbers in [0, 1): mulberry32. */
export function seeded(seed: number): () => number {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), a | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const NUMBERS = [
  0, 1, 2, 7, 8, 64, 127, 128, 255, 256, 65_535, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff,
];

/** One to eight changes: bits, bytes, numbers of 2 to 8 bytes, cuts, repeats, copies. Never the input itself. */
export function mutate(bytes: Uint8Array, random: () => number): Uint8Array {
  let out = bytes.slice();
  const whole = (limit: number) => Math.floor(random() * limit);
  for (let changes = 1 + whole(8); changes > 0 && out.length; changes--) {
    const at = whole(out.length);
    const view = new DataView(out.buffer, out.byteOffset, out.length);
    const number = random() < 0.2 ? out.length + whole(3) - 1 : NUMBERS[whole(NUMBERS.length)]!;
    switch (whole(8)) {
      case 0:
        out[at]! ^= 1 << whole(8);
        break;
      case 1:
        out[at] = whole(256);
        break;
      case 2:
        out[at] = number;
        break;
      case 3:
        if (at + 2 <= out.length) view.setUint16(at, number, random() < 0.8);
        break;
      case 4:
        if (at + 4 <= out.length) view.setUint32(at, number, random() < 0.8);
        break;
      case 5:
        if (at + 8 <= out.length) {
          view.setUint32(at, number, true);
          view.setUint32(at + 4, random() < 0.3 ? number : 0, true);
        }
        break;
      case 6: {
        const length = whole(Math.min(64, out.length - at));
        const from = whole(out.length - length);
        out.copyWithin(at, from, from + length);
        break;
      }
      default: {
        const length = whole(Math.min(64, out.length - at));
        const [head, cut, tail] = [out.slice(0, at), out.slice(at, at + length), out.slice(at + length)];
        const parts = random() < 0.4 ? [head, tail] : random() < 0.7 ? [head, cut, cut, tail] : [head];
        const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
        let to = 0;
        for (const part of parts) {
          joined.set(part, to);
          to += part.length;
        }
        out = joined;
      }
    }
  }
  return out;
}

const ARRAYS = [
  'ArrayBuffer',
  'Uint8Array',
  'Uint16Array',
  'Uint32Array',
  'Float32Array',
  'Float64Array',
  'BigInt64Array',
  'BigUint64Array',
] as const;

/** Runs `body` while no typed array of more than `limit` elements may be made; one that is throws a RangeError. */
export async function withAllocationLimit<T>(limit: number, body: () => Promise<T>): Promise<T> {
  const originals = ARRAYS.map((name) => [name, globalThis[name]] as const);
  for (const [name, original] of originals)
    (globalThis as Record<string, unknown>)[name] = new Proxy(original, {
      construct(target, args, newTarget) {
        if (typeof args[0] === 'number' && args[0] > limit)
          throw new RangeError(`${name}(${args[0]}): more than the ${limit} this test allows`);
        return Reflect.construct(target, args, newTarget === globalThis[name] ? target : newTarget);
      },
    });
  try {
    return await body();
  } finally {
    for (const [name, original] of originals) (globalThis as Record<string, unknown>)[name] = original;
  }
}
