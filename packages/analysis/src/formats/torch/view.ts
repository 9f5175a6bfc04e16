import { DTYPE_BYTES, decodeInTurns, elementCount, gather, rawType, widened } from '../dtypes.js';
import { PickleCall, PicklePersistent, PickleTuple } from '../pickle/index.js';
import type { DType, Tensor, TensorData } from '../types.js';
import type { ZipEntry } from '../zip.js';
import { dictOf, nameOf, type TensorParts } from './objects.js';

/** Dimensions of a tensor; PyTorch's own limit. */
export const MAX_TORCH_DIMENSIONS = 64;

const STORAGES: Record<string, DType> = {
  'torch.DoubleStorage': 'float64',
  'torch.FloatStorage': 'float32',
  'torch.HalfStorage': 'float16',
  'torch.BFloat16Storage': 'bfloat16',
  'torch.LongStorage': 'int64',
  'torch.IntStorage': 'int32',
  'torch.ShortStorage': 'int16',
  'torch.CharStorage': 'int8',
  'torch.ByteStorage': 'uint8',
  'torch.BoolStorage': 'bool',
};
const UNTYPED = ['torch.storage.UntypedStorage', 'torch.UntypedStorage'];
export const DTYPES: Record<string, DType> = {
  'torch.float64': 'float64',
  'torch.float32': 'float32',
  'torch.float8_e4m3fn': 'float8_e4m3',
  'torch.float8_e5m2': 'float8_e5m2',
  'torch.float16': 'float16',
  'torch.bfloat16': 'bfloat16',
  'torch.int64': 'int64',
  'torch.int32': 'int32',
  'torch.int16': 'int16',
  'torch.int8': 'int8',
  'torch.uint8': 'uint8',
  'torch.uint16': 'uint16',
  'torch.uint32': 'uint32',
  'torch.uint64': 'uint64',
  'torch.bool': 'bool',
};

export interface TorchEntry {
  name: string;
  dtype: DType;
  shape: number[];
  /** In elements, per dimension. */
  stride: number[];
  /** In elements, into the storage. */
  offset: number;
  /** Elements the view reaches over, from `offset` on. */
  reach: number;
  storage: ZipEntry;
  /** PyTorch's bit for values that are to be negated when they are read. */
  negative: boolean;
}

export const numbersOf = (value: unknown): number[] | null => {
  const items =
    value instanceof PickleTuple
      ? value.items
      : value instanceof PickleCall &&
          nameOf(value.callee) === 'torch.Size' &&
          value.args instanceof PickleTuple
        ? (value.args.items[0] as PickleTuple | undefined)?.items
        : null;
  return items?.every((item) => Number.isSafeInteger(item) && (item as number) >= 0)
    ? ([...items] as number[])
    : null;
};

/** A tensor of PyTorch's own of a type that is not read: complex, quantised, of odd bits. Its storage's name; null for any other. */
export function unrealStorage(parts: TensorParts): string | null {
  const id = parts.storage instanceof PicklePersistent ? parts.storage.id : null;
  const type = id instanceof PickleTuple ? nameOf(id.items[1]) : '';
  const name = UNTYPED.includes(type) ? nameOf(parts.dtype) : type;
  return !Object.hasOwn(DTYPES, name) &&
    /^torch\.(Complex\w+Storage|Q(U?Int|uantized)\w*Storage|complex\d+|q(u?int)\w+|float[48]_\w+|bits\w+|u?int[1-7])$/.test(
      name,
    )
    ? name
    : null;
}

/** Everything that is needed before a byte of the storage is read. */
export function checkView(
  name: string,
  parts: TensorParts,
  zip: ReadonlyMap<string, ZipEntry>,
  folder: string,
  fail: (message: string) => never,
): TorchEntry {
  const id = parts.storage instanceof PicklePersistent ? parts.storage.id : null;
  if (!(id instanceof PickleTuple) || id.items[0] !== 'storage')
    return fail('its storage is named in no known way');
  const [, type, key, , size] = id.items;
  const untyped = UNTYPED.includes(nameOf(type));
  const typeName = untyped ? nameOf(parts.dtype) : nameOf(type);
  const table = untyped ? DTYPES : STORAGES;
  const dtype = Object.hasOwn(table, typeName) ? table[typeName] : undefined;
  if (!dtype)
    return fail(
      `expected a storage of ${Object.keys(table).join(', ')}, got ${typeName.slice(0, 80) || 'none'}; save it as float32: tensor.float()`,
    );
  if (typeof key !== 'string' || !/^\w{1,64}$/.test(key)) return fail('its storage has no plain key');
  if (!Number.isSafeInteger(size) || (size as number) < 0) return fail('its storage has no size');
  const storage = zip.get(`${folder}data/${key}`);
  if (!storage) return fail(`the zip holds no storage ${folder}data/${key}`);
  const width = DTYPE_BYTES[dtype];
  const elements = untyped ? Math.floor((size as number) / width) : (size as number);
  if (storage.unpacked < elements * width)
    return fail(`its storage ${key} needs ${elements * width} bytes, the zip holds ${storage.unpacked}`);

  const shape = numbersOf(parts.shape);
  const stride = numbersOf(parts.stride);
  if (!shape || !stride || shape.length !== stride.length || shape.length > MAX_TORCH_DIMENSIONS)
    return fail('expected a shape and a stride of as many whole numbers ≥ 0');
  const count = elementCount(shape);
  if (Number.isNaN(count)) return fail(`the shape [${shape}] is not possible`);
  const offset = parts.offset;
  if (!Number.isSafeInteger(offset) || (offset as number) < 0) return fail('expected an offset ≥ 0');
  const reach = count === 0 ? 0 : shape.reduce((sum, side, axis) => sum + (side - 1) * stride[axis]!, 1);
  if (!((offset as number) + reach <= elements))
    return fail(
      `shape [${shape}], stride [${stride}] and offset ${offset} reach past the ${elements} elements of storage ${key}`,
    );
  const negative = dictOf(parts.metadata)?.map.get('neg') === true;
  return { name, dtype, shape, stride, offset: offset as number, reach, storage, negative };
}

/** A tensor out of the bytes of its storage. `owned`: nothing else will read them, so that they need not be copied. */
export async function viewOf(
  storage: Uint8Array,
  entry: TorchEntry,
  bigEndian: boolean,
  file: string,
  owned = false,
): Promise<Tensor> {
  const { dtype, shape, offset, reach } = entry;
  const width = DTYPE_BYTES[dtype];
  const reached = storage.subarray(offset * width, (offset + reach) * width);
  const data =
    isPlain(entry) && !entry.negative
      ? await decodeInTurns(reached, dtype, reach, file, { bigEndian, owned })
      : await widened(await rawView(reached, entry, bigEndian, file), dtype, file);
  return { data, shape: [...shape], dtype };
}

/** The elements of a view, row-major, half types as words, out of the bytes that it reaches over. */
export async function rawView(
  reached: Uint8Array,
  entry: TorchEntry,
  bigEndian: boolean,
  file: string,
): Promise<TensorData> {
  const { dtype, shape, stride, reach } = entry;
  let data = await decodeInTurns(reached, rawType(dtype), reach, file, { bigEndian });
  if (entry.negative && (data instanceof Float32Array || data instanceof Float64Array))
    data = data.map((value) => -value);
  // The sign of a half.
  if (entry.negative && /float16$/.test(dtype)) data = (data as Uint16Array).map((word) => word ^ 0x8000);
  return isPlain(entry) ? data : gather(data, shape, stride, file);
}

/** Whether a view's elements stand one after another, as they are. */
export function isPlain({ shape, stride, reach }: TorchEntry): boolean {
  let step = 1;
  let plain = reach === elementCount(shape);
  for (let axis = shape.length - 1; axis >= 0; step *= shape[axis--]!)
    plain &&= shape[axis]! < 2 || stride[axis] === step;
  return plain;
}
