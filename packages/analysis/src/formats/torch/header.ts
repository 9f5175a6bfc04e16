import { EpochscopeError, printable } from '@epochscope/core-wasm';
import { budgetOf } from '../budget.js';
import { DTYPE_BYTES, elementCount } from '../dtypes.js';
import { PickleCall, type PickleDict, readPickle } from '../pickle/index.js';
import type { ByteSource } from '../types.js';
import { readZipDirectory, readZipEntry, type ZipKind } from '../zip.js';
import { builderOf, describe, dictOf, nameOf, tensorParts } from './objects.js';
import { findStateDict, MAX_TORCH_NESTING, STATE_DICTS } from './state-dict.js';
import { checkView, type TorchEntry, unrealStorage } from './view.js';

/** Names in the state dict. */
export const MAX_TORCH_TENSORS = 200_000;
/** Names between two looks at the clock. */
const TURN = 1000;
/** Views may repeat elements (stride 0) or share storages, but all tensors together stay below this many times the file … */
export const MAX_TORCH_EXPANSION = 4;
/** … or below this, whichever is more. */
export const MIN_TORCH_BYTES = 64_000_000;

const LEGACY_MAGIC = [0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9];
const ZIP: ZipKind = { file: 'a PyTorch file', item: 'entry', nameOf: (path) => path, expected: 'files' };

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

const failing =
  (source: ByteSource) =>
  (message: string, code: 'format' | 'unsupported' = 'format', tensor?: string): never => {
    throw new EpochscopeError(code, `${source.name}: ${message}`, {
      file: source.name,
      ...(tensor && { tensor }),
    });
  };

/** The zip, and what its pickle holds. */
async function openTorch(source: ByteSource) {
  const fail = failing(source);
  const start = await source.read(0, Math.min(source.size, LEGACY_MAGIC.length));
  if (start.length === LEGACY_MAGIC.length && LEGACY_MAGIC.every((byte, i) => start[i] === byte))
    fail(
      'is in the format of PyTorch before 1.6; write it again with a newer one: torch.save(torch.load(file, map_location="cpu"), file)',
      'unsupported',
    );
  const zip = await readZipDirectory(source, ZIP);
  const pickles = [...zip.keys()].filter((path) => /^(?:[^/]+\/)?data\.pkl$/.test(path));
  if (pickles.length !== 1)
    fail(
      `expected one data.pkl in the zip, got ${pickles.length}${pickles.length ? '' : `; it holds ${printable([...zip.keys()].slice(0, 3).join(', '))}: unpack it first`}`,
    );
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

  const root = await readPickle(await readZipEntry(source, zip.get(pickles[0]!)!), `${source.name}:data.pkl`);
  return { zip, folder, bigEndian: byteOrder === 'big', root };
}

/** A file that holds one tensor and nothing else: torch.save(tensor, file). Throws `format`. */
export async function readTorchTensor(
  source: ByteSource,
): Promise<{ entry: TorchEntry; header: Pick<TorchHeader, 'bigEndian'> }> {
  const fail = failing(source);
  const { zip, folder, bigEndian, root } = await openTorch(source);
  const parts = tensorParts(root);
  if (!parts) return fail(`expected one tensor, got ${describe(root)}`);
  return { entry: checkView('', parts, zip, folder, fail), header: { bigEndian } };
}

/** Reads and checks the pickle and every view; reads no storage. Throws `format`, `unsupported`. */
export async function readTorchHeader(source: ByteSource): Promise<TorchHeader> {
  const fail = failing(source);
  const { zip, folder, bigEndian, root } = await openTorch(source);
  const found = await findStateDict(root, source.name);
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
  const walk = async (dict: PickleDict, prefix: string, depth: number): Promise<void> => {
    if (depth > MAX_TORCH_NESTING) fail(`expected dicts nested at most ${MAX_TORCH_NESTING} deep`);
    for (const [key, value] of dict.map) {
      // The same dict may be remembered in many places.
      if (++visited > MAX_TORCH_TENSORS) fail(`expected at most ${MAX_TORCH_TENSORS} names`);
      if (visited % TURN === 0) await budgetOf(source).rest();
      if (typeof key !== 'string' && typeof key !== 'number') {
        skipped.push(`${prefix}?`);
        continue;
      }
      const name = `${prefix}${key}`;
      const inner = dictOf(value);
      const parts = inner ? null : tensorParts(value);
      if (inner) await walk(inner, `${name}.`, depth + 1);
      else if (!parts) {
        skipped.push(name);
        const builder = builderOf(value);
        if (builder) unread.push(`${name} (${builder})`);
      } else if (unrealStorage(parts) !== null) {
        skipped.push(name);
        unread.push(`${name} (${unrealStorage(parts)})`);
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
  await walk(found.dict, '', 0);
  // Views alternate as they like, and may have all that is deflated unpacked again and again.
  const deflated = new Set(
    [...entries.values()].flatMap(({ storage }) => (storage.deflated ? [storage] : [])),
  );
  budgetOf(source).expect(
    [...deflated].reduce((sum, { unpacked }) => sum + unpacked, 0),
    'its storages',
  );
  const { path, numbers, beside } = found;
  return { entries, path, numbers, skipped, unread, beside, bigEndian };
}
