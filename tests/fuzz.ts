// A byte mutator, a watch on allocations and the loop over both, for fuzz.test.ts and `npm run fuzz`.
import { EpochscopeError } from '@epochscope/core-wasm';

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

/** What a program that trusts its input does not expect, as JSON text. */
const ODD = [
  ...[
    'null',
    'true',
    '-1',
    '0',
    '1.5',
    '1e308',
    '-0',
    '9007199254740993',
    '""',
    '"__proto__"',
    '[]',
    '{}',
    '[[]]',
  ],
  '"\\u0000\\u001b[31m\\n"',
  '{"toString":null}',
  '{"valueOf":1,"toString":{}}',
  '{"length":-1}',
  '{"__proto__":{"a":1}}',
  '{"constructor":{"name":5}}',
  `${'['.repeat(300)}${']'.repeat(300)}`,
  `"${'x'.repeat(6000)}"`,
  '{"$array":{"toString":null}}',
  '{"$data":{"toString":null},"dtype":"float32"}',
];

/**
 * One or two places of a JSON text changed as values, not as bytes: another kind of value, a field gone, an item twice, a value of another
 * place. Bytes that are not JSON come back as they are.
 */
export function mutateJson(bytes: Uint8Array, random: () => number): Uint8Array {
  let text = new TextDecoder().decode(bytes);
  try {
    for (let changes = 1 + Math.floor(random() * 2); changes > 0; changes--) {
      const root: unknown = JSON.parse(text);
      const places: [Record<string, unknown>, string][] = [];
      const walk = (value: unknown): void => {
        if (typeof value !== 'object' || value === null) return;
        for (const key of Object.keys(value)) {
          places.push([value as Record<string, unknown>, key]);
          walk((value as Record<string, unknown>)[key]);
        }
      };
      walk(root);
      if (!places.length) return bytes;
      const at = () => places[Math.floor(random() * places.length)]!;
      const [parent, key] = at();
      const kind = random();
      const mark = 'here comes something odd';
      if (kind < 0.6) parent[key] = mark;
      else if (kind < 0.75) {
        if (Array.isArray(parent)) parent.splice(Number(key), 1);
        else delete parent[key];
      } else if (kind < 0.85 && Array.isArray(parent)) parent.push(parent[Number(key)]);
      else {
        const [other, name] = at();
        parent[key] = JSON.parse(JSON.stringify(other[name] ?? null));
      }
      text = JSON.stringify(root).replace(`"${mark}"`, () => ODD[Math.floor(random() * ODD.length)]!);
    }
  } catch {
    return bytes;
  }
  return new TextEncoder().encode(text);
}

const ARRAYS = [
  'ArrayBuffer',
  'Int8Array',
  'Uint8Array',
  'Uint8ClampedArray',
  'Int16Array',
  'Uint16Array',
  'Int32Array',
  'Uint32Array',
  'Float32Array',
  'Float64Array',
  'BigInt64Array',
  'BigUint64Array',
] as const;

/**
 * Runs `body` while typed arrays may take `limit` bytes together (all that are made count, also those let go); the one
 * that would go beyond throws a RangeError. Gives the value and the bytes taken.
 */
export async function withAllocationLimit<T>(
  limit: number,
  body: () => Promise<T>,
): Promise<{ value: T; bytes: number }> {
  let bytes = 0;
  const originals = ARRAYS.map((name) => [name, globalThis[name]] as const);
  for (const [name, original] of originals) {
    const size = 'BYTES_PER_ELEMENT' in original ? original.BYTES_PER_ELEMENT : 1;
    (globalThis as Record<string, unknown>)[name] = new Proxy(original, {
      construct(target, args, newTarget) {
        const [first] = args;
        // Of a length or a copy; a view of a buffer takes nothing.
        const length =
          typeof first === 'number' ? first : first instanceof originals[0]![1] ? 0 : (first?.length ?? 0);
        bytes += Math.max(0, Number(length) || 0) * size;
        if (bytes > limit) throw new RangeError(`${name}(${length}): more than the ${limit} bytes allowed`);
        return Reflect.construct(target, args, newTarget === globalThis[name] ? target : newTarget);
      },
    });
  }
  try {
    const value = await body();
    return { value, bytes };
  } finally {
    for (const [name, original] of originals) (globalThis as Record<string, unknown>)[name] = original;
  }
}

/** What no input of a few kilobytes may cost. */
export const MOST_BYTES = 256 * 2 ** 20;
export const MOST_MILLISECONDS = 2000;

export interface FuzzReport {
  cases: number;
  refused: number;
  /** Longest case in milliseconds, and its seed. */
  slowest: { milliseconds: number; seed: number };
  /** Most bytes of typed arrays that an accepted case took, and its seed. */
  largest: { bytes: number; seed: number };
}

/**
 * Mutations of `file` (of a JSON file mostly as values) by the seeds from … from + cases − 1: whatever comes out of `read` is a value or an EpochscopeError
 * of one line, within MOST_MILLISECONDS and MOST_BYTES. Throws an Error that names the seed otherwise.
 */
export async function fuzz(
  name: string,
  file: Uint8Array,
  read: (bytes: Uint8Array) => Promise<unknown>,
  from: number,
  cases: number,
): Promise<FuzzReport> {
  const json = file[0] === 0x7b;
  const report: FuzzReport = {
    cases,
    refused: 0,
    slowest: { milliseconds: 0, seed: from },
    largest: { bytes: 0, seed: from },
  };
  for (let seed = from; seed < from + cases; seed++) {
    const random = seeded(seed);
    const input = json && random() < 0.6 ? mutateJson(file, random) : mutate(file, random);
    // Of this process alone: others on the machine make no case slow.
    const begun = process.cpuUsage();
    try {
      const { bytes } = await withAllocationLimit(MOST_BYTES + input.length, () => read(input));
      if (bytes > report.largest.bytes) report.largest = { bytes, seed };
    } catch (error) {
      if (!(error instanceof EpochscopeError) || error.message.includes('\n'))
        throw new Error(`${name}: seed ${seed}: ${(error as Error)?.stack ?? error}`);
      report.refused++;
    }
    const { user, system } = process.cpuUsage(begun);
    const milliseconds = (user + system) / 1000;
    if (milliseconds > report.slowest.milliseconds) report.slowest = { milliseconds, seed };
    if (milliseconds > MOST_MILLISECONDS) throw new Error(`${name}: seed ${seed}: ${milliseconds} ms`);
  }
  return report;
}
