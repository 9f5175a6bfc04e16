import { EpochscopeError, guard } from '@epochscope/core-wasm';
import { Budget, rest, shareBudget } from '../budget.js';
import { DTYPE_BYTES, elementCount } from '../dtypes.js';
import { PickleCall, PickleDict, PickleGlobal, PickleTuple, readPickle } from '../pickle/index.js';
import { checkRange } from '../source.js';
import type { ByteSource, DType, StoredTensor } from '../types.js';
import { readTorchTensor } from './header.js';
import { dictOf } from './objects.js';
import { storedTorchEntry } from './stored.js';
import { DTYPES, numbersOf } from './view.js';

// torch.distributed.checkpoint: a folder of .metadata, a pickle that says in which stretch of which .distcp file each piece of each tensor
// lies, every piece being a torch.save of a tensor of its own.

const MAX_METADATA = 64_000_000;

interface Piece {
  /** Where it begins in the tensor, and its sides. */
  offsets: readonly number[];
  sizes: readonly number[];
  file: string;
  begin: number;
  length: number;
}

/**
 * Every tensor of a distributed checkpoint, put together of its pieces when it is wanted. `open`: a file of the folder by its name. Throws
 * `format` where pieces are missing or overlap their tensor's sides.
 */
export async function readDistributed(
  metadata: ByteSource,
  open: (file: string) => Promise<ByteSource>,
): Promise<{ tensors: Map<string, StoredTensor>; unread: string[] }> {
  const fail = (message: string): never => {
    throw new EpochscopeError('format', `${metadata.name}: ${message}`, { file: metadata.name });
  };
  guard(
    metadata.size <= MAX_METADATA,
    'format',
    () => `${metadata.name}: expected at most ${MAX_METADATA} bytes`,
  );
  const root = await readPickle(await metadata.read(0, metadata.size), metadata.name);
  const described =
    dictOf(field(root, 'state_dict_metadata')) ?? fail('expected the metadata of a state dict');
  const stored = dictOf(field(root, 'storage_data')) ?? fail('expected where its pieces are stored');
  const places = new Map<string, { file: string; begin: number; length: number }>();
  for (const [index, info] of stored.map) {
    const [name, file, begin, length] = [
      field(index, 'fqn'),
      field(info, 'relative_path'),
      field(info, 'offset'),
      field(info, 'length'),
    ];
    if (
      typeof name !== 'string' ||
      typeof file !== 'string' ||
      !/^[^/\\\0]{1,255}$/.test(file) ||
      file === '..' ||
      !isCount(begin) ||
      !isCount(length)
    )
      return fail('a piece is stored in no known way');
    const at = field(index, 'offset');
    places.set(
      keyOf(name, at === undefined || at === null ? [] : (numbersOf(at) ?? fail('a piece has no place'))),
      { file, begin, length },
    );
  }
  // Stretches that lie over one another would be read again and again, each as data of its own.
  const ends = new Map<string, number>();
  for (const { file, begin, length } of [...places.values()].sort((a, b) => a.begin - b.begin)) {
    if (begin < (ends.get(file) ?? 0)) fail(`two pieces lie over one another in ${file}, at byte ${begin}`);
    ends.set(file, begin + length);
  }
  const used = new Set<object>();
  const tensors = new Map<string, StoredTensor>();
  const unread: string[] = [];
  for (const [name, about] of described.map) {
    if (typeof name !== 'string') continue;
    const shape = numbersOf(field(about, 'size'));
    const chunks = field(about, 'chunks');
    // Steps, generators and the like are kept as bytes.
    if (!shape || !Array.isArray(chunks)) continue;
    const properties = field(about, 'properties');
    const state = properties instanceof PickleCall ? properties.state : null;
    const first = state instanceof PickleTuple ? state.items[0] : field(properties, 'dtype');
    const dtype =
      first instanceof PickleGlobal && Object.hasOwn(DTYPES, first.name) ? DTYPES[first.name] : undefined;
    if (!dtype) {
      unread.push(`${name} (${first instanceof PickleGlobal ? first.name : 'no type'})`);
      continue;
    }
    const count = elementCount(shape);
    if (Number.isNaN(count)) return fail(`tensor ${name}: the shape [${shape}] is not possible`);
    const pieces = chunks.map((chunk): Piece => {
      const offsets = numbersOf(field(chunk, 'offsets'));
      const sizes = numbersOf(field(chunk, 'sizes'));
      if (
        offsets?.length !== shape.length ||
        sizes?.length !== shape.length ||
        shape.some((side, axis) => offsets[axis]! + sizes[axis]! > side)
      )
        return fail(`tensor ${name}: a piece does not lie within its shape [${shape}]`);
      const place = places.get(keyOf(name, offsets)) ?? places.get(keyOf(name, []));
      if (!place || used.has(place))
        return fail(`tensor ${name}: its piece at [${offsets}] is stored nowhere`);
      used.add(place);
      return { offsets, sizes, ...place };
    });
    const covered = pieces.reduce((sum, { sizes }) => sum + elementCount(sizes), 0);
    if (covered !== count) fail(`tensor ${name}: its pieces hold ${covered} values of ${count}`);
    tensors.set(name, await storedOf(name, dtype, shape, pieces, open));
  }
  return { tensors, unread };
}

/** A field of a dataclass. */
const field = (value: unknown, name: string): unknown =>
  value instanceof PickleCall && value.state instanceof PickleDict ? value.state.map.get(name) : undefined;
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const keyOf = (name: string, offsets: readonly number[]) => `${name}\0${offsets.join()}`;

async function openPiece({ file, begin, length }: Piece, open: (file: string) => Promise<ByteSource>) {
  const whole = await open(file);
  checkRange(whole, begin, length);
  const source: ByteSource = shareBudget(
    {
      name: whole.name,
      size: length,
      async read(offset, count) {
        checkRange({ name: whole.name, size: length }, offset, count);
        return whole.read(begin + offset, count);
      },
    },
    whole,
  );
  const { entry, header } = await readTorchTensor(source);
  return storedTorchEntry(source, header, entry);
}

async function storedOf(
  name: string,
  dtype: DType,
  shape: readonly number[],
  pieces: readonly Piece[],
  open: (file: string) => Promise<ByteSource>,
): Promise<StoredTensor> {
  const check = (piece: Piece, own: StoredTensor) =>
    guard(
      own.dtype === dtype && own.shape.join() === piece.sizes.join(),
      'format',
      () =>
        `${piece.file}: tensor ${name}: expected a piece of ${dtype} [${piece.sizes}], got ${own.dtype} [${own.shape}]`,
      { file: piece.file, tensor: name },
    );
  const [only] = pieces;
  if (pieces.length === 1) {
    const own = await openPiece(only!, open);
    check(only!, own);
    // The range counts from the piece's own beginning.
    const range = own.range && { ...own.range, begin: own.range.begin + only!.begin };
    return { dtype, shape, bytes: own.bytes, ...(range ? { range } : {}) };
  }
  return {
    dtype,
    shape,
    async bytes() {
      const width = DTYPE_BYTES[dtype];
      const total = elementCount(shape) * width;
      new Budget(
        only!.file,
        pieces.reduce((sum, { length }) => sum + length, 0),
      ).take(total, `tensor ${name}`);
      const out = new Uint8Array(total);
      for (const piece of pieces) {
        const own = await openPiece(piece, open);
        check(piece, own);
        await place(out, shape, await own.bytes(), piece, width);
      }
      return out;
    },
  };
}

/** A piece's rows to where they stand in the tensor. */
async function place(
  out: Uint8Array,
  shape: readonly number[],
  bytes: Uint8Array,
  { file, offsets, sizes }: Piece,
  width: number,
): Promise<void> {
  const axes = shape.length;
  const row = (axes ? sizes[axes - 1]! : 1) * width;
  const rows = row ? bytes.length / row : 0;
  const strides = shape.map((_, axis) => elementCount(shape.slice(axis + 1)));
  for (let r = 0; r < rows; r++) {
    if (r % 10_000 === 0) await rest(file);
    let left = r;
    let to = axes ? offsets[axes - 1]! : 0;
    for (let axis = axes - 2; axis >= 0; axis--) {
      to += (offsets[axis]! + (left % sizes[axis]!)) * strides[axis]!;
      left = Math.floor(left / sizes[axis]!);
    }
    out.set(bytes.subarray(r * row, (r + 1) * row), to * width);
  }
}
