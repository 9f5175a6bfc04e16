import { EpochscopeError, guard } from '@epochscope/core-wasm';
import { DTYPE_BYTES, decodeElements, elementCount } from './dtypes.js';
import { PickleCall, PickleDict, PickleGlobal, PicklePersistent, PickleTuple, readPickle } from './pickle.js';
import type { ByteSource, DType, Tensor, TensorData } from './types.js';
import { readZipDirectory, readZipEntry, type ZipEntry, type ZipKind } from './zip.js';

// PyTorch's torch.save since 1.6: a zip of NAME/data.pkl and NAME/data/<key>, one storage each, tensors being views of
// storages (https://pytorch.org/docs/stable/notes/serialization.html). The pickle is read as data: nothing is called.

/** Dimensions of a tensor; PyTorch's own limit. */
export const MAX_TORCH_DIMENSIONS = 64;
/** Dicts in dicts. */
export const MAX_TORCH_NESTING = 8;
/** Names in the state dict. */
export const MAX_TORCH_TENSORS = 200_000;
/** Views may repeat elements (stride 0) or share storages, but all tensors together stay below this many times the file … */
export const MAX_TORCH_EXPANSION = 4;
/** … or below this, whichever is more. */
export const MIN_TORCH_BYTES = 64_000_000;

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
const DTYPES: Record<string, DType> = {
  'torch.float64': 'float64',
  'torch.float32': 'float32',
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
/** Where training scripts put the weights in a larger dict, the most telling first. */
const STATE_DICTS = [
  'state_dict',
  'model_state_dict',
  'model_state',
  'model',
  'net',
  'module',
  'weights',
  'params',
];
/** Keys of copies: averages of the weights. */
const COPIES = /(^|[_.])(ema|swa|avg|averaged|teacher)([_.]|$)/i;
const LEGACY_MAGIC = [0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9];
const ZIP: ZipKind = { file: 'a PyTorch file', item: 'entry', nameOf: (path) => path, expected: 'files' };

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

export interface TorchHeader {
  entries: Map<string, TorchEntry>;
  /** Path of keys that led to the weights: [] or ["state_dict"]. */
  path: string[];
  /** Numbers beside the weights: epoch, global_step, loss, … */
  numbers: Record<string, number>;
  /** Names in the state dict that hold no tensor. */
  skipped: string[];
  /** Those of them that hold a tensor of a kind that is not read (quantised, sparse, on no device): "name (what builds it)". */
  unread: string[];
  /** Keys beside the chosen one that hold state dicts too: an EMA copy. */
  beside: string[];
  bigEndian: boolean;
}

/** Reads and checks the pickle and every view; reads no storage. Throws `format`, `unsupported`. */
export async function readTorchHeader(source: ByteSource): Promise<TorchHeader> {
  const fail = (message: string, code: 'format' | 'unsupported' = 'format', tensor?: string): never => {
    throw new EpochscopeError(code, `${source.name}: ${message}`, {
      file: source.name,
      ...(tensor && { tensor }),
    });
  };
  const start = await source.read(0, Math.min(source.size, LEGACY_MAGIC.length));
  if (start.length === LEGACY_MAGIC.length && LEGACY_MAGIC.every((byte, i) => start[i] === byte))
    fail(
      'is in the format of PyTorch before 1.6; write it again with a newer one: torch.save(torch.load(file, map_location="cpu"), file)',
      'unsupported',
    );
  const zip = await readZipDirectory(source, ZIP);
  const pickles = [...zip.keys()].filter((path) => /^(?:[^/]+\/)?data\.pkl$/.test(path));
  if (pickles.length !== 1) fail(`expected one data.pkl in the zip, got ${pickles.length}`);
  const folder = pickles[0]!.slice(0, -'data.pkl'.length);
  if (zip.has(`${folder}constants.pkl`))
    fail(
      'is a TorchScript program; save the weights alone: torch.save(model.state_dict(), file)',
      'unsupported',
    );
  const order = zip.get(`${folder}byteorder`);
  const byteOrder =
    order && order.unpacked < 16 ? new TextDecoder().decode(await readZipEntry(source, order)) : 'little';
  if (byteOrder !== 'little' && byteOrder !== 'big')
    fail(`expected byte order little or big, got ${JSON.stringify(byteOrder)}`);

  const root = readPickle(await readZipEntry(source, zip.get(pickles[0]!)!), `${source.name}:data.pkl`);
  const found = findStateDict(root);
  if (!found) {
    const alone = 'save the weights alone: torch.save(model.state_dict(), file)';
    const what = root instanceof PickleCall ? nameOf(root.callee) : '';
    return fail(
      root instanceof PickleCall && !dictOf(root)
        ? `holds a Python object of class ${what}, which only Python can read; ${alone}`
        : `expected a dict of tensors, itself or under ${STATE_DICTS.slice(0, 2).join(', ')}, got ${describe(root)}; ${alone}`,
      'unsupported',
    );
  }

  const entries = new Map<string, TorchEntry>();
  const skipped: string[] = [];
  const unread: string[] = [];
  const limit = Math.max(MIN_TORCH_BYTES, MAX_TORCH_EXPANSION * source.size);
  let total = 0;
  let visited = 0;
  const walk = (dict: PickleDict, prefix: string, depth: number) => {
    if (depth > MAX_TORCH_NESTING) fail(`expected dicts nested at most ${MAX_TORCH_NESTING} deep`);
    for (const [key, value] of dict.map) {
      // The same dict may be remembered in many places.
      if (++visited > MAX_TORCH_TENSORS) fail(`expected at most ${MAX_TORCH_TENSORS} names`);
      if (typeof key !== 'string' && typeof key !== 'number') {
        skipped.push(`${prefix}?`);
        continue;
      }
      const name = `${prefix}${key}`;
      const inner = dictOf(value);
      const parts = inner ? null : tensorParts(value);
      if (inner) walk(inner, `${name}.`, depth + 1);
      else if (!parts) {
        skipped.push(name);
        const builder = builderOf(value);
        if (builder) unread.push(`${name} (${builder})`);
      } else {
        const entry = checkView(name, parts, zip, folder, (message) =>
          fail(`tensor ${name}: ${message}`, 'format', name),
        );
        total += elementCount(entry.shape) * DTYPE_BYTES[entry.dtype];
        if (!(total <= limit))
          fail(
            `expected tensors of at most ${limit} bytes from a file of ${source.size}, got more by ${name}`,
            'format',
            name,
          );
        if (entries.has(name)) fail(`two tensors are named ${name}`, 'format', name);
        entries.set(name, entry);
      }
    }
  };
  walk(found.dict, '', 0);
  const { path, numbers, beside } = found;
  return { entries, path, numbers, skipped, unread, beside, bigEndian: byteOrder === 'big' };
}

const nameOf = (value: unknown): string => (value instanceof PickleGlobal ? value.name : '');

/** A dict, an OrderedDict or a defaultdict; null for anything else. */
function dictOf(value: unknown): PickleDict | null {
  if (value instanceof PickleDict) return value;
  if (
    value instanceof PickleCall &&
    ['collections.OrderedDict', 'collections.defaultdict'].includes(nameOf(value.callee))
  )
    return value.items ?? new PickleDict();
  return null;
}

/** Whether a dict holds a tensor at any depth. Each dict is looked at once, wherever it is remembered. */
function holdsTensors(dict: PickleDict, seen = new Set<PickleDict>(), depth = 0): boolean {
  if (seen.has(dict) || depth > MAX_TORCH_NESTING) return false;
  seen.add(dict);
  return [...dict.map.values()].some((value) => {
    const inner = dictOf(value);
    return inner ? holdsTensors(inner, seen, depth + 1) : tensorParts(value) !== null;
  });
}

/** A state dict as PyTorch makes them: tensors by dotted names. */
const isFlat = (dict: PickleDict | null): boolean =>
  dict !== null &&
  [...dict.map].some(([key, value]) => typeof key === 'string' && key.includes('.') && tensorParts(value));

interface FoundStateDict {
  dict: PickleDict;
  path: string[];
  numbers: Record<string, number>;
  beside: string[];
}

function findStateDict(root: unknown): FoundStateDict | null {
  const numbers: Record<string, number> = {};
  const path: string[] = [];
  let beside: string[] = [];
  let dict = dictOf(root);
  for (let depth = 0; dict && depth < MAX_TORCH_NESTING; depth++) {
    const inside: PickleDict = dict;
    const loose = [...inside.map.values()].some((value) => tensorParts(value));
    if (isFlat(inside)) return { dict: inside, path, numbers, beside };
    // A best score or a generator's state may be a tensor too: what is named or looks like a state dict goes first.
    const flat = [...inside.map].flatMap(([name, value]) =>
      typeof name === 'string' && isFlat(dictOf(value)) ? [name] : [],
    );
    const named = STATE_DICTS.find((name) => {
      const inner = dictOf(inside.map.get(name));
      return inner && (flat.includes(name) || (!flat.length && holdsTensors(inner)));
    });
    const own = named === undefined ? flat.filter((name) => !COPIES.test(name)) : [named];
    const key = own.length === 1 ? own[0]! : own.length || !flat.length ? undefined : flat[0]!;
    if (key === undefined && own.length < 2) {
      // Parameters by module: { encoder: { weight: … } }.
      const nested =
        loose ||
        (inside.map.size > 0 &&
          [...inside.map.values()].every((value) => dictOf(value)) &&
          [...inside.map.values()].some((value) =>
            [...dictOf(value)!.map.values()].some((item) => tensorParts(item)),
          ));
      return nested ? { dict: inside, path, numbers, beside } : null;
    }
    for (const [name, value] of inside.map)
      if (typeof name === 'string' && typeof value === 'number' && Number.isFinite(value))
        numbers[name] = value;
    beside = [...beside, ...flat.filter((name) => name !== key && !own.includes(name))];
    if (key === undefined) {
      // Nets that are trained together: { generator: …, discriminator: …, epoch }.
      const all = new PickleDict();
      for (const name of own) all.map.set(name, inside.map.get(name));
      return { dict: all, path, numbers, beside };
    }
    path.push(key);
    dict = dictOf(inside.map.get(key));
  }
  return null;
}

/** For messages: what a pickle holds at its top. */
function describe(value: unknown): string {
  const short = (item: unknown): string => {
    if (dictOf(item)) return 'a dict';
    if (tensorParts(item)) return 'a tensor';
    if (item instanceof PickleCall) return `a Python object of class ${nameOf(item.callee)}`;
    return Array.isArray(item) ? 'a list' : item === null ? 'None' : typeof item;
  };
  const dict = dictOf(value);
  if (!dict) return short(value);
  const keys = [...dict.map].slice(0, 6).map(([key, item]) => `${String(key).slice(0, 40)} (${short(item)})`);
  return keys.length ? `a dict of ${keys.join(', ')}${dict.map.size > 6 ? ', …' : ''}` : 'an empty dict';
}

/** What would build a tensor of a kind that is not read, also where it stands in a tuple; null for anything else. */
function builderOf(value: unknown, depth = 0): string | null {
  if (value instanceof PickleCall)
    return /^torch\._/.test(nameOf(value.callee)) ? nameOf(value.callee) : null;
  const items = value instanceof PickleTuple ? value.items : Array.isArray(value) ? value : [];
  for (const item of depth < 3 ? items.slice(0, 8) : []) {
    const builder = builderOf(item, depth + 1);
    if (builder) return builder;
  }
  return null;
}

interface Parts {
  storage: unknown;
  offset: unknown;
  shape: unknown;
  stride: unknown;
  dtype: unknown;
  metadata: unknown;
}

/** What a call would rebuild, where it is one of PyTorch's own tensor builders. */
function tensorParts(value: unknown, depth = 0): Parts | null {
  if (!(value instanceof PickleCall) || !(value.args instanceof PickleTuple) || depth > 4) return null;
  const args = value.args.items;
  switch (nameOf(value.callee)) {
    case 'torch._utils._rebuild_parameter':
    case 'torch._utils._rebuild_parameter_with_state':
      return tensorParts(args[0], depth + 1);
    case 'torch._tensor._rebuild_from_type_v2':
      return tensorParts(new PickleCall(args[0], args[2]), depth + 1);
    case 'torch._utils._rebuild_tensor':
    case 'torch._utils._rebuild_tensor_v2':
      return {
        storage: args[0],
        offset: args[1],
        shape: args[2],
        stride: args[3],
        dtype: null,
        metadata: args[6],
      };
    case 'torch._utils._rebuild_tensor_v3':
      return {
        storage: args[0],
        offset: args[1],
        shape: args[2],
        stride: args[3],
        dtype: args[6],
        metadata: args[7],
      };
    default:
      return null;
  }
}

const numbersOf = (value: unknown): number[] | null => {
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

/** Everything that is needed before a byte of the storage is read. */
function checkView(
  name: string,
  parts: Parts,
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

/** One tensor, row-major; reads and checks its whole storage. */
export async function readTorchEntry(
  source: ByteSource,
  header: TorchHeader,
  entry: TorchEntry,
): Promise<Tensor> {
  return viewOf(await readZipEntry(source, entry.storage), entry, header.bigEndian);
}

function viewOf(storage: Uint8Array, entry: TorchEntry, bigEndian: boolean): Tensor {
  const { dtype, shape, stride, offset, reach } = entry;
  const width = DTYPE_BYTES[dtype];
  let data = decodeElements(
    storage.subarray(offset * width, (offset + reach) * width),
    dtype,
    reach,
    bigEndian,
  );
  if (entry.negative && (data instanceof Float32Array || data instanceof Float64Array))
    data = data.map((value) => -value);
  const count = elementCount(shape);
  let step = 1;
  let plain = reach === count;
  for (let axis = shape.length - 1; axis >= 0; step *= shape[axis--]!)
    plain &&= shape[axis]! < 2 || stride[axis] === step;
  return { data: plain ? data : gather(data, count, shape, stride), shape: [...shape], dtype };
}

function gather(
  data: TensorData,
  count: number,
  shape: readonly number[],
  stride: readonly number[],
): TensorData {
  const out = new (data.constructor as Float64ArrayConstructor)(count);
  const at = new Array<number>(shape.length).fill(0);
  let from = 0;
  for (let i = 0; i < count; i++) {
    out[i] = (data as Float64Array)[from]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += stride[axis]!;
      if (++at[axis]! < shape[axis]!) break;
      from -= at[axis]! * stride[axis]!;
      at[axis] = 0;
    }
  }
  return out;
}

/**
 * All tensors of a .pt, .pth, .ckpt or .bin file, in the state dict's order; a state dict inside "state_dict",
 * "model_state_dict" and the like is found. Half floats become float32. Throws `format`, `unsupported`.
 */
export async function readTorch(source: ByteSource): Promise<Map<string, Tensor>> {
  const header = await readTorchHeader(source);
  const tensors = new Map<string, Tensor>();
  let last: { storage: ZipEntry | null; bytes: Uint8Array } = { storage: null, bytes: new Uint8Array(0) };
  for (const entry of header.entries.values()) {
    if (last.storage !== entry.storage)
      last = { storage: entry.storage, bytes: await readZipEntry(source, entry.storage) };
    tensors.set(entry.name, viewOf(last.bytes, entry, header.bigEndian));
  }
  guard(tensors.size > 0, 'format', () => `${source.name}: the state dict holds no tensor`, {
    file: source.name,
  });
  return tensors;
}
