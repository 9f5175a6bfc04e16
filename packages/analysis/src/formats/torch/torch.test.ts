import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { EpochscopeError } from '@epochscope/core-wasm';
import { zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { readNpz } from '../npz.js';
import { MAX_PICKLE_BYTES, PickleCall, PickleGlobal, readPickle } from '../pickle/index.js';
import { bytesSource } from '../source.js';
import type { ByteSource } from '../types.js';
import { readTorch, readTorchEntry, readTorchHeader, storedTorchEntry } from './index.js';

const fixture = (name: string) =>
  new Uint8Array(
    readFileSync(fileURLToPath(new URL(`../../../../../tests/fixtures/formats/${name}`, import.meta.url))),
  );
const source = (bytes: Uint8Array) => bytesSource('f.pt', bytes);

// A pickle assembler: just enough to write what torch.save writes, and what it never would.
const bytes = (...parts: (number | string | number[] | Uint8Array)[]) =>
  Uint8Array.from(
    parts.flatMap((part) =>
      typeof part === 'number'
        ? [part]
        : typeof part === 'string'
          ? [...new TextEncoder().encode(part)]
          : [...part],
    ),
  );
const u32 = (value: number) => [value & 255, (value >> 8) & 255, (value >> 16) & 255, value >>> 24];
const str = (value: string) => bytes('X', u32(new TextEncoder().encode(value).length), value);
const int = (value: number) => bytes('J', u32(value));
const tuple = (...items: Uint8Array[]) => bytes('(', ...items, 't');
const ints = (values: number[]) => tuple(...values.map(int));
const global = (module: string, name: string) => bytes('c', module, '\n', name, '\n');
const pickle = (...parts: (string | number[] | Uint8Array)[]) => bytes(0x80, 2, ...parts, '.');

interface Made {
  type?: string;
  key?: string;
  size?: number;
  offset?: number;
  shape?: number[];
  stride?: number[];
  rebuild?: Uint8Array;
  storage?: Uint8Array;
}
const rebuilt = (made: Made = {}) =>
  bytes(
    made.rebuild ?? global('torch._utils', '_rebuild_tensor_v2'),
    tuple(
      made.storage ??
        bytes(
          tuple(
            str('storage'),
            global('torch', made.type ?? 'FloatStorage'),
            str(made.key ?? '0'),
            str('cpu'),
            int(made.size ?? 4),
          ),
          'Q',
        ),
      int(made.offset ?? 0),
      ints(made.shape ?? [2, 2]),
      ints(made.stride ?? [2, 1]),
    ),
    'R',
  );
const FOUR = new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer);
const file = (data: Uint8Array, entries: Record<string, Uint8Array> = { 'm/data/0': FOUR }) =>
  zipSync({ 'm/data.pkl': data, ...entries }, { level: 0 });
const model = (made: Made = {}) => file(pickle('}', str('w'), rebuilt(made), 's'));

describe('PyTorch files', () => {
  it('reads views, strides and every dtype as PyTorch wrote them', async () => {
    const expected = await readNpz(bytesSource('e', fixture('tensors.expected.npz')));
    const tensors = await readTorch(source(fixture('tensors.pt')));
    expect([...tensors.keys()]).toEqual([...expected.keys()]);
    for (const [name, tensor] of tensors) {
      const want = expected.get(name)!;
      expect(tensor.shape, name).toEqual(want.shape);
      expect([...(tensor.data as Float32Array)], name).toEqual([...(want.data as Float32Array)]);
    }
    expect(tensors.get('half')!.dtype).toBe('float16');
    expect(tensors.get('brain')!.dtype).toBe('bfloat16');
  });

  it('many views of few storages read each once, deflated or not, however they alternate', async () => {
    const views = Array.from({ length: 40 }, (_, i) => [
      str(`w${i}`),
      rebuilt({ key: String(i % 2), size: 100_000, offset: i, shape: [2], stride: [1] }),
    ]).flat();
    const storage = (first: number) =>
      new Uint8Array(Float32Array.from({ length: 100_000 }, (_, i) => first + i).buffer);
    for (const level of [0, 6] as const) {
      const packed = zipSync(
        {
          'm/data.pkl': pickle('}', '(', ...views, 'u'),
          'm/data/0': storage(0),
          'm/data/1': storage(0.5),
        },
        { level },
      );
      let read = 0;
      const counted: ByteSource = {
        ...source(packed),
        async read(offset, length) {
          read += length;
          return source(packed).read(offset, length);
        },
      };
      const header = await readTorchHeader(counted);
      for (const [i, entry] of [...header.entries.values()].entries()) {
        const { bytes } = await storedTorchEntry(counted, header, entry);
        const values = new Float32Array((await bytes()).slice().buffer);
        expect([...values]).toEqual([i + (i % 2) / 2, i + 1 + (i % 2) / 2]);
      }
      // Pickle, directory and each storage once; unpacked again for each view it would be twenty times that.
      expect(read, `level ${level}`).toBeLessThan(1.3 * packed.length + 70_000);
    }
  });

  it('finds the weights in a checkpoint, passes over classes, and calls nothing', async () => {
    const header = await readTorchHeader(source(fixture('checkpoint.pt')));
    expect(header.path).toEqual(['model_state_dict']);
    expect(header.numbers).toEqual({ epoch: 3, loss: 0.5 });
    expect([...header.entries.keys()]).toEqual([
      'conv.weight',
      'conv.bias',
      'norm.weight',
      'norm.bias',
      'norm.running_mean',
      'norm.running_var',
      'norm.num_batches_tracked',
      'head.weight',
      'head.bias',
    ]);
    const tensor = await readTorchEntry(
      source(fixture('checkpoint.pt')),
      header,
      header.entries.get('norm.running_var')!,
    );
    expect(tensor).toMatchObject({ data: Float32Array.of(1, 1), shape: [2], dtype: 'float32' });
  });

  it('a best score, averages and wrappers beside the weights do not hide them (PyTorch 2)', async () => {
    const header = await readTorchHeader(source(fixture('checkpoint2.pt')));
    expect(header).toMatchObject({
      path: ['model'],
      numbers: { epoch: 3 },
      beside: ['model_ema'],
      unread: [],
    });
    const expected = await readNpz(bytesSource('e', fixture('checkpoint2.expected.npz')));
    const tensors = await readTorch(source(fixture('checkpoint2.pt')));
    expect(tensors.size).toBe(expected.size + 1);
    for (const [name, want] of expected)
      expect(tensors.get(`_orig_mod.module.${name}`)!.data, name).toEqual(want.data);
  });

  it('names tensors that are not read, and negates those that are to be', async () => {
    const header = await readTorchHeader(source(fixture('odd.pt')));
    expect(header.unread).toEqual([
      'sparse (torch._utils._rebuild_sparse_tensor)',
      'nowhere (torch._utils._rebuild_meta_tensor_no_storage)',
      'packed (torch._utils._rebuild_qtensor)',
    ]);
    const expected = await readNpz(bytesSource('e', fixture('odd.expected.npz')));
    const tensors = await readTorch(source(fixture('odd.pt')));
    expect([...tensors.keys()]).toEqual(['plain.weight', 'plain.negative']);
    expect(tensors.get('plain.negative')!.data).toEqual(Float32Array.of(-2, 4));
    expect(tensors.get('plain.negative')!.data).toEqual(expected.get('plain.negative')!.data);
  });

  it('takes both of two nets that are trained together', async () => {
    const header = await readTorchHeader(source(fixture('two-nets.pt')));
    expect([...header.entries.keys()]).toEqual([
      'netG.0.weight',
      'netG.0.bias',
      'netD.0.weight',
      'netD.0.bias',
    ]);
    expect(header.numbers).toEqual({ epoch: 1 });
  });

  it('says what a file without a state dict holds, and what to do', async () => {
    await expect(readTorch(source(fixture('whole-in-dict.pt')))).rejects.toThrow(
      'got a dict of epoch (number), model (a Python object of class torch.nn.modules.activation.ReLU); save the weights alone: torch.save(model.state_dict(), file)',
    );
  });

  it('a dict that is remembered in many places is looked at once', async () => {
    // Each of nine dicts holds the next one ten times: 10⁹ paths to a tensor that is not there.
    const parts: (string | Uint8Array)[] = ['}', bytes('q', 0), '0'];
    for (let i = 1; i < 10; i++) {
      parts.push('}');
      for (let k = 0; k < 10; k++) parts.push(str(k ? `k${k}` : 'model'), bytes('h', i - 1), 's');
      parts.push(bytes('q', i), i < 9 ? '0' : '');
    }
    await expect(readTorch(source(file(pickle(...parts))))).rejects.toThrow(EpochscopeError);
  });

  it('reads nested parameters, and one that is shared twice', async () => {
    const shared = bytes(rebuilt(), 'q', 9);
    const nested = pickle('}', str('enc'), '}', str('w'), shared, 's', str('tied'), 'h', [9], 's', 's');
    const tensors = await readTorch(source(file(nested)));
    expect([...tensors.keys()]).toEqual(['enc.w', 'enc.tied']);
    expect(tensors.get('enc.tied')!.data).toEqual(Float32Array.of(1, 2, 3, 4));
  });

  it('reads untyped storages and big-endian files', async () => {
    const v3 = bytes(
      global('torch._utils', '_rebuild_tensor_v3'),
      tuple(
        bytes(
          tuple(str('storage'), global('torch.storage', 'UntypedStorage'), str('0'), str('cpu'), int(4)),
          'Q',
        ),
        int(0),
        ints([2]),
        ints([1]),
        bytes(0x89),
        bytes('N'),
        global('torch', 'uint16'),
      ),
      'R',
    );
    const big = file(pickle('}', str('w'), v3, 's'), {
      'm/data/0': Uint8Array.of(1, 2, 255, 0),
      'm/byteorder': bytes('big'),
    });
    expect((await readTorch(source(big))).get('w')!.data).toEqual(Uint16Array.of(258, 65280));
  });

  it.each<[string, Uint8Array, string, string?]>([
    [
      'the format before 1.6',
      fixture('legacy.pt'),
      'format of PyTorch before 1.6; write it again',
      'unsupported',
    ],
    [
      'a whole model',
      fixture('whole-model.pt'),
      'holds a Python object of class __main__.Net',
      'unsupported',
    ],
    ['TorchScript', fixture('torchscript.pt'), 'is a TorchScript program', 'unsupported'],
    ['no zip', bytes('hello, this is no zip at all'), 'expected a PyTorch file (a zip)'],
    ['a zip with no pickle', zipSync({ 'a/b': FOUR }), 'expected one data.pkl in the zip, got 0'],
    [
      'two pickles',
      zipSync({ 'a/data.pkl': pickle('}'), 'b/data.pkl': pickle('}') }),
      'expected one data.pkl in the zip, got 2',
    ],
    ['another byte order', file(pickle('}'), { 'm/byteorder': bytes('middle') }), 'byte order little or big'],
    ['no tensors', file(pickle('}')), 'expected a dict of tensors', 'unsupported'],
    [
      'no storage',
      file(pickle('}', str('w'), rebuilt(), 's'), {}),
      'tensor w: the zip holds no storage m/data/0',
    ],
    ['a key that climbs', model({ key: '../0' }), 'tensor w: its storage has no plain key'],
    [
      'an unknown storage',
      model({ type: 'SecretStorage' }),
      'tensor w: expected a storage of torch.DoubleStorage',
    ],
    [
      'an inherited name',
      model({ type: '__proto__' }),
      'tensor w: expected a storage of torch.DoubleStorage',
    ],
    ['a storage that is none', model({ storage: int(1) }), 'tensor w: its storage is named in no known way'],
    ['a negative size', model({ size: -1 }), 'tensor w: its storage has no size'],
    [
      'a storage larger than the zip holds',
      model({ size: 5 }),
      'its storage 0 needs 20 bytes, the zip holds 16',
    ],
    ['a view past the storage', model({ offset: 1 }), 'reach past the 4 elements of storage 0'],
    ['a long stride', model({ stride: [2, 3] }), 'reach past the 4 elements'],
    ['a negative stride', model({ stride: [-2, 1] }), 'expected a shape and a stride'],
    ['a negative offset', model({ offset: -1 }), 'expected an offset ≥ 0'],
    [
      'an impossible shape',
      model({ shape: Array(9).fill(2e9), stride: Array(9).fill(0) }),
      'is not possible',
    ],
    [
      '65 dimensions',
      model({ shape: Array(65).fill(1), stride: Array(65).fill(0) }),
      'expected a shape and a stride of as many',
    ],
    [
      'endless repeats of one element',
      model({ shape: [100_000, 100_000], stride: [0, 0] }),
      'expected tensors of at most 64000000 bytes',
    ],
    [
      'a dict that holds itself',
      file(pickle('}q\x01', str('w'), rebuilt(), 's', str('me'), 'h\x01', 's')),
      'expected dicts nested at most 8 deep',
    ],
  ])('refuses %s in one line', async (_, data, message, code = 'format') => {
    const error = await readTorch(source(data)).catch((e) => e);
    expect(error).toBeInstanceOf(EpochscopeError);
    expect(error.message).toContain(message);
    expect(error.message).not.toContain('\n');
    expect(error.code).toBe(code);
  });

  it('a storage is looked at only after its view was found to fit', async () => {
    const all = model({ shape: [3, 2] });
    const reads: number[] = [];
    const counted: ByteSource = {
      ...source(all),
      read: async (offset, length) => {
        reads.push(length);
        return all.subarray(offset, offset + length);
      },
    };
    await expect(readTorch(counted)).rejects.toThrow('reach past');
    expect(Math.max(...reads)).toBeLessThanOrEqual(all.length);
    expect(reads).not.toContain(16);
  });
});

describe('pickles', () => {
  it('name what Python would call, and call nothing', async () => {
    const value = (await readPickle(
      pickle(global('os', 'system'), tuple(str('rm -rf /')), 'R'),
      'p',
    )) as PickleCall;
    expect(value).toBeInstanceOf(PickleCall);
    expect(value.callee).toEqual(new PickleGlobal('os.system'));
    const stacked = await readPickle(pickle(str('posix'), str('system'), Uint8Array.of(0x93)), 'p');
    expect(stacked).toEqual(new PickleGlobal('posix.system'));
  });

  it('reads numbers of every spelling', async () => {
    const value = (...parts: (string | Uint8Array)[]) => readPickle(pickle(...parts), 'p');
    expect(await value('I-12\n')).toBe(-12);
    expect(await value('I01\n')).toBe(true);
    expect(await value('L12345678901234567890L\n')).toBe(12345678901234567890n);
    expect(await value(Uint8Array.of(0x8a, 2, 0, 255))).toBe(-256);
    expect(await value(Uint8Array.of(0x8a, 0))).toBe(0);
    expect(await value('F1.5e3\n')).toBe(1500);
    expect(await value('Finf\n')).toBe(Number.POSITIVE_INFINITY);
    expect(await value('F-inf\n')).toBe(Number.NEGATIVE_INFINITY);
    expect(await value('Fnan\n')).toBeNaN();
    expect(await value(Uint8Array.of(71, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0))).toBe(1.5);
  });

  it.each<[string, Uint8Array, string]>([
    ['an empty stream', new Uint8Array(0), 'expected 1 bytes more'],
    [
      'a pickle too long',
      new Uint8Array(MAX_PICKLE_BYTES + 1),
      'expected a pickle of at most 64000000 bytes',
    ],
    ['protocol 9', bytes(0x80, 9, '.'), 'expected pickle protocol 0 to 5, got 9'],
    ['an opcode of another world', bytes(0x80, 2, 0x82, 1, '.'), 'opcode 0x82 is none that model data needs'],
    ['a text longer than the pickle', bytes('X', u32(100), 'a'), 'expected 100 bytes more'],
    [
      'a text past the limit',
      bytes('X', u32(10_000_001), 'a'),
      'expected at most 10000000 bytes in one value',
    ],
    ['a frame past the end', bytes(0x95, u32(99), u32(0), '.'), 'a frame runs past the end'],
    ['an empty stack', bytes('.'), 'the stack is empty'],
    ['no mark', bytes('t.'), 'there is no mark'],
    ['a mark for a value', bytes('(.'), 'the stack is empty'],
    ['a memo that was never kept', bytes('h', 3, '.'), 'value 3 was never remembered'],
    ['a memo index that is no number', bytes('Nghello\n.'), 'expected a memo index'],
    ['a line with no end', bytes('I12'), 'a line of text does not end'],
    ['a number that is none', bytes('Ihello\n.'), 'expected a whole number'],
    ['a float that is none', bytes('Fx\n.'), 'expected a number'],
    ['a whole number of 65 bytes', bytes(0x8a, 65, new Uint8Array(65), '.'), 'at most 64 bytes'],
    [
      'endless remembering',
      bytes('N', new Uint8Array(2_000_001).fill(0x94), '.'),
      'at most 2000000 remembered values',
    ],
    ['a key without a value', bytes('}(Nu.'), 'a key without a value'],
    ['items in no dict', bytes('N(NNu.'), 'no dict'],
    ['items in no list', bytes('NNa.'), 'no list'],
    ['a class without a name', bytes('NN', 0x93, '.'), 'a class is named by no text'],
    ['1001 marks', bytes('('.repeat(1001)), 'nested at most 1000 deep'],
    ['a tall stack', bytes('N'.repeat(1_000_001)), 'a stack of at most 1000000 values'],
    ['endless opcodes', bytes('N'.repeat(1), '20'.repeat(5_000_001), '.'), 'at most 10000000 opcodes'],
  ])('refuse %s', async (_, data, message) => {
    const refused = await readPickle(data, 'p').catch((error: Error) => error);
    expect(refused).toBeInstanceOf(EpochscopeError);
    expect((refused as Error).message).toContain(message);
  });
});
