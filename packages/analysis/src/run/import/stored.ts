import { EpochscopeError, formatBytes, guard } from '@epochscope/core-wasm';
import { LONGEST_ARRAY, rest } from '../../formats/budget.js';
import { DTYPE_BYTES, elementCount, rawElements } from '../../formats/dtypes.js';
import type { DType, StoredTensor } from '../../formats/types.js';
import type { Store } from '../../stores/types.js';
import type { LinkedFile, LinkedTensor, WeightsLink } from '../link.js';
import type { CanonicalPlan } from './canonical.js';
import type { OpenedWeights } from './weights.js';

/** Tensors that are looked at when they are read: `bad` gets how many of their values are NaN or infinite, where any is. */
export function watchFinite(
  tensors: ReadonlyMap<string, StoredTensor>,
  bad: Map<string, number>,
): Map<string, StoredTensor> {
  return new Map(
    [...tensors].map(([name, tensor]) => [
      name,
      {
        ...tensor,
        async bytes() {
          const bytes = await tensor.bytes();
          const count = await countBroken(bytes, tensor.dtype, elementCount(tensor.shape), name);
          if (count) bad.set(name, count);
          return bytes;
        },
      },
    ]),
  );
}

/** Bytes of a snapshot that are read at once, so that a file that is damaged is known before anything of it is written. */
export const AT_ONCE = 256_000_000;

/** Small snapshots read whole, as the file has them; large ones as they are. Throws `memory` for a tensor that is too large to be copied. */
export async function readSmall(tensors: Map<string, StoredTensor>): Promise<Map<string, StoredTensor>> {
  let total = 0;
  for (const [name, { dtype, shape }] of tensors) {
    const size = DTYPE_BYTES[dtype] * elementCount(shape);
    total += size;
    guard(
      size <= LONGEST_ARRAY,
      'memory',
      () =>
        `tensor ${name} has ${formatBytes(size)}, more than the ${formatBytes(LONGEST_ARRAY)} that can be held at once; import with \`link\`, which leaves the weights where they are`,
      { tensor: name, needed: size, limit: LONGEST_ARRAY },
    );
  }
  if (total > AT_ONCE) return tensors;
  const read = new Map<string, StoredTensor>();
  for (const [name, tensor] of tensors) {
    const bytes = await tensor.bytes();
    read.set(name, { ...tensor, bytes: async () => bytes });
  }
  return read;
}

/** Where all bits of the exponent are set. */
const EXPONENT = { float16: 0x7c00, bfloat16: 0x7f80, float8_e5m2: 0x7c, float32: 0x7f800000 } as const;

/** Bytes that are looked at before others get their turn. */
const TURN = 1 << 24;

async function countBroken(bytes: Uint8Array, dtype: DType, count: number, name: string): Promise<number> {
  const step = TURN / DTYPE_BYTES[dtype];
  let broken = 0;
  for (let from = 0; from < count; from += step) {
    const to = Math.min(count, from + step);
    const part = bytes.subarray(from * DTYPE_BYTES[dtype], to * DTYPE_BYTES[dtype]);
    broken += brokenIn(part, dtype, to - from);
    await rest(name);
  }
  return broken;
}

function brokenIn(bytes: Uint8Array, dtype: DType, count: number): number {
  let broken = 0;
  if (dtype === 'float64') {
    const values = rawElements(bytes, dtype, count) as Float64Array;
    for (let i = 0; i < values.length; i++) if (values[i]! * 0 !== 0) broken++;
  } else if (dtype === 'float8_e4m3') {
    for (let i = 0; i < bytes.length; i++) if ((bytes[i]! & 0x7f) === 0x7f) broken++;
  } else if (dtype in EXPONENT) {
    const mask = EXPONENT[dtype as keyof typeof EXPONENT];
    const width = bytes.length / count;
    // A view where the bytes allow it, else a copy.
    const aligned = bytes.byteOffset % width === 0 ? bytes : bytes.slice();
    const Words = width === 4 ? Uint32Array : width === 2 ? Uint16Array : Uint8Array;
    const words = new Words(aligned.buffer as ArrayBuffer, aligned.byteOffset, count);
    for (let i = 0; i < words.length; i++) if ((words[i]! & mask) === mask) broken++;
  }
  return broken;
}

/** A link to where the tensors of a snapshot lie. Throws `unsupported` where one does not lie in one stretch of a file that has an address. */
export function linkTo(
  store: Store,
  path: string,
  { files: opened }: OpenedWeights,
  stored: ReadonlyMap<string, StoredTensor>,
  plan: CanonicalPlan,
): WeightsLink {
  const refuse = (why: string): never => {
    throw new EpochscopeError(
      'unsupported',
      `${path}: its weights cannot be linked: ${why}; import it without \`link\`, which copies them`,
      { path },
    );
  };
  const files: LinkedFile[] = [];
  const places = new Map<string, number>();
  const fileOf = (name: string): number => {
    const known = places.get(name);
    if (known !== undefined) return known;
    const seen = opened.seen.get(name) ?? refuse(`${name} is no file of its own`);
    const address = store.addressOf?.(seen.path) ?? refuse(`files of ${store.name} have no address`);
    files.push({ ...address, size: seen.size, stamp: seen.stamp });
    places.set(name, files.length - 1);
    return files.length - 1;
  };
  const tensors = new Map<string, LinkedTensor>();
  for (const [name, { from, mask, axes, dtype, shape }] of plan.recipes) {
    const range =
      stored.get(from)!.range ??
      refuse(`${from} does not lie in one piece (packed, or of a format that is read whole)`);
    guard(
      mask === undefined,
      'unsupported',
      () =>
        `${path}: ${from} is pruned (weight_orig and weight_mask) and cannot be linked; import it without \`link\``,
      { path },
    );
    tensors.set(name, {
      file: fileOf(range.file),
      begin: range.begin,
      dtype,
      shape,
      ...(axes ? { axes } : {}),
    });
  }
  return { files, tensors };
}
