import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { EpochscopeError } from '@epochscope/core-wasm';
import { beforeAll, describe, expect, it } from 'vitest';
import { readOnnx } from '../../../formats/onnx/index.js';
import type { OpenSibling } from '../../../formats/siblings.js';
import { bytesSource } from '../../../formats/source.js';
import { prepareTf, type Tf } from '../../backend.js';
import { GraphRunner } from '../runner.js';
import { graphOfOnnx } from './index.js';

const folder = fileURLToPath(new URL('../../../../../../tests/fixtures/onnx/', import.meta.url));
const onDisk: OpenSibling = (name, body) =>
  body(bytesSource(name, new Uint8Array(readFileSync(folder + name))));
const fromBytes =
  (bytes: Uint8Array): OpenSibling =>
  (name, body) => {
    if (name !== 'm.onnx') throw new EpochscopeError('missing', `${name} does not exist`);
    return body(bytesSource(name, bytes));
  };
const golden = (file: string) =>
  JSON.parse(readFileSync(folder + file, 'utf8')) as Record<string, { shape: number[]; values: number[] }>;
const expected = { ...golden('expected.json'), ...golden('expected2.json') };
/** The same numbers as fixtures/write-onnx-expected.mjs makes. */
const inputOf = (count: number) => Float32Array.from({ length: count }, (_, i) => Math.sin(i * 12.9898) * 2);

let tf: Tf;
beforeAll(async () => {
  tf = await prepareTf();
});

/** [n, c, h, w] ↔ [n, h, w, c]. */
function turn(
  data: Float32Array,
  n: number,
  [a, b, c]: number[],
  order: 'to-last' | 'to-first',
): Float32Array {
  const out = new Float32Array(data.length);
  const [channels, height, width] = order === 'to-last' ? [a!, b!, c!] : [c!, a!, b!];
  for (let s = 0; s < n; s++)
    for (let ch = 0; ch < channels; ch++)
      for (let y = 0; y < height; y++)
        for (let x = 0; x < width; x++) {
          const first = ((s * channels + ch) * height + y) * width + x;
          const last = ((s * height + y) * width + x) * channels + ch;
          if (order === 'to-last') out[last] = data[first]!;
          else out[first] = data[last]!;
        }
  return out;
}

describe('ONNX on our graph', () => {
  it('every fixture has its golden', () => {
    expect(
      readdirSync(folder)
        .filter((name) => name.endsWith('.onnx'))
        .sort(),
    ).toEqual(Object.keys(expected).sort());
    expect(Object.keys(expected).length).toBeGreaterThan(38);
  });

  it.each(Object.keys(expected))('%s gives what ONNX Runtime 1.30.0 gives', async (name) => {
    const { graph, channelsFirst } = await graphOfOnnx(await readOnnx(onDisk, name), name);
    const runner = new GraphRunner(tf, graph);
    const size = graph.inputShape.reduce((a, b) => a * b, 1);
    const [h, w, c] = graph.inputShape as [number, number, number];
    const x = inputOf(2 * size);
    const got = runner.run(channelsFirst ? turn(x, 2, [c, h, w], 'to-last') : x, 2).get(runner.last)!;
    const shape = runner.shapes.get(runner.last)!;
    const { values, shape: theirs } = expected[name]!;
    const ours = theirs.length === 4 && shape.length === 3 ? turn(got, 2, [...shape], 'to-first') : got;
    expect(ours.length).toBe(values.length);
    // 1e-4: sums in another order; inputs reach 2.
    for (const [i, value] of values.entries())
      expect(Math.abs(ours[i]! - value), `value ${i}`).toBeLessThan(1e-4);
    runner.dispose();
  });

  it("PyTorch 2's exporter: layers are named after weights and code, and nothing is folded where it is told", async () => {
    const named = async (file: string) =>
      (await graphOfOnnx(await readOnnx(onDisk, file), file)).graph.nodes.map(({ name }) => name);
    const unfused = await named('torch2-residual-unfused.onnx');
    expect(unfused).toEqual(
      expect.arrayContaining(['conv1', 'bn1', 'relu', 'max_pool2d', 'conv2', 'mean', 'fc']),
    );
    const { graph } = await graphOfOnnx(await readOnnx(onDisk, 'torch2-residual-unfused.onnx'), 'f');
    // The bias of zeros that the exporter makes up is none.
    expect(graph.weights.has('conv1.bias')).toBe(false);
    expect(await named('torch2-residual.onnx')).not.toContain('bn1');
  });

  it('layers are named after their weights, and kernels are ours', async () => {
    const { graph, norms } = await graphOfOnnx(await readOnnx(onDisk, 'torch-branches-unfused.onnx'), 'f');
    const names = graph.nodes.map(({ name }) => name);
    for (const name of ['conv1', 'bn1', 'conv2', 'conv3', 'fc', 'out']) expect(names).toContain(name);
    expect(graph.weights.get('conv1.kernel')!.shape).toEqual([3, 3, 2, 4]);
    expect(graph.weights.get('fc.kernel')!.shape).toEqual([8, 6]);
    expect([...norms]).toEqual(['bn1']);
    expect(new Set(names).size).toBe(names.length);
  });
});

// Files by hand.
const varint = (value: number): number[] => {
  const out: number[] = [];
  for (let rest = BigInt.asUintN(64, BigInt(value)); ; rest >>= 7n) {
    if (rest < 128n) return [...out, Number(rest)];
    out.push(Number(rest & 127n) | 128);
  }
};
type Part = number[];
const num = (field: number, value: number): Part => [...varint(field * 8), ...varint(value)];
const sub = (field: number, ...parts: Part[]): Part => [
  ...varint(field * 8 + 2),
  ...varint(parts.flat().length),
  ...parts.flat(),
];
const str = (field: number, text: string): Part => sub(field, [...new TextEncoder().encode(text)]);
const info = (field: number, name: string, sides: (number | null)[]) =>
  sub(
    field,
    str(1, name),
    sub(2, sub(1, num(1, 1), sub(2, ...sides.map((s) => sub(1, s === null ? str(2, 'n') : num(1, s)))))),
  );
const tensor = (
  field: number,
  name: string,
  shape: number[],
  values: number[] | Part,
  type = 1,
  extra: Part = [],
) =>
  sub(
    field,
    ...shape.map((s) => num(1, s)),
    num(2, type),
    str(8, name),
    sub(9, [...new Uint8Array(Float32Array.from(values).buffer)]),
    extra,
  );
const ints = (name: string, values: number[]) =>
  sub(5, str(1, name), ...values.map((v) => num(8, v)), num(20, 7));
const int = (name: string, value: number) => sub(5, str(1, name), num(3, value), num(20, 2));
const text = (name: string, value: string) => sub(5, str(1, name), str(4, value), num(20, 3));
const node = (op: string, inputs: string[], outputs: string[], ...rest: Part[]) =>
  sub(
    1,
    ...inputs.map((i) => str(1, i)),
    ...outputs.map((o) => str(2, o)),
    str(3, `the-${op}`),
    str(4, op),
    ...rest,
  );
const model = (graph: Part[], opset = 13) =>
  Uint8Array.from([...num(1, 7), ...sub(8, num(2, opset)), ...sub(7, ...graph)]);
const x = info(11, 'x', [null, 2, 5, 5]);
const v = info(11, 'x', [null, 4]);
const y = info(12, 'y', []);
const k = tensor(5, 'k', [1, 2, 1, 1], [1, 1]);
const w = tensor(5, 'w', [4, 2], Array(8).fill(1));
const one = (op: string, ...rest: Part[]) => model([x, y, node(op, ['x'], ['y'], ...rest)]);

describe('ONNX gone wrong', () => {
  const read = async (bytes: Uint8Array) => graphOfOnnx(await readOnnx(fromBytes(bytes), 'm.onnx'), 'm.onnx');

  it('the model made by hand is whole', async () => {
    const { graph } = await read(model([x, y, k, node('Conv', ['x', 'k'], ['y'])]));
    expect(graph.nodes).toMatchObject([{ kind: 'conv2d', name: 'the-Conv', inputs: ['input'] }]);
  });

  it.each<[string, Uint8Array, string]>([
    ['nothing', new Uint8Array(0), 'expected an ONNX model, got no graph'],
    ['text', new TextEncoder().encode('hello world, this is text'), 'm.onnx: '],
    ['a number that does not end', Uint8Array.of(8, 255), 'the file ends inside a number'],
    ['a number of eleven bytes', Uint8Array.of(8, ...Array(10).fill(255), 1), 'longer than 10 bytes'],
    ['a field longer than the file', Uint8Array.of(58, 200, 1, 0), 'expected 200 bytes for field 7, got 1'],
    ['field 0', Uint8Array.of(0, 1), 'expected a field, got tag 0'],
    ['a group', Uint8Array.of(11), 'expected a field of a known kind, got 3'],
    ['a graph that is a number', Uint8Array.from(num(7, 3)), 'field 7: expected a message'],
    ['a fixed number cut off', Uint8Array.of(13, 1, 2), 'the file ends inside a number'],
    ['no operator set', Uint8Array.from(sub(7, x, y)), 'expected an ONNX model, got operator set 0'],
    [
      'texts',
      model([x, y, sub(5, num(1, 1), num(2, 8), str(8, 'k'))]),
      'tensor k: expected numbers, got type 8',
    ],
    ['an impossible shape', model([x, y, tensor(5, 'k', [2 ** 31, 2 ** 31], [])]), 'is not possible'],
    ['a negative side', model([x, y, tensor(5, 'k', [-1], [])]), 'is not possible'],
    [
      '33 dimensions',
      model([x, y, tensor(5, 'k', Array(33).fill(1), [1])]),
      'expected at most 32 dimensions',
    ],
    ['too few bytes', model([x, y, tensor(5, 'k', [3], [1])]), 'shape [3] of float32 needs 12 bytes, got 4'],
    [
      'too few values',
      model([x, y, sub(5, num(1, 3), num(2, 1), str(8, 'k'), sub(4, [0, 0, 0, 0]))]),
      'shape [3] needs 3 values, got 1',
    ],
    [
      'tensors past the limit',
      model([x, y, tensor(5, 'k', [2_000_000_001], [])]),
      'expected at most 8000000000 bytes of tensors',
    ],
    ['two tensors of a name', model([x, y, k, k]), 'two tensors are named k'],
    [
      'a file that climbs',
      model([
        x,
        y,
        tensor(5, 'k', [1], [1], 1, [...sub(13, str(1, 'location'), str(2, '../k')), ...num(14, 1)]),
      ]),
      'expected the plain name of a file beside it',
    ],
    [
      'a missing file',
      model([
        x,
        y,
        tensor(5, 'k', [1], [1], 1, [...sub(13, str(1, 'location'), str(2, 'k.bin')), ...num(14, 1)]),
      ]),
      'k.bin does not exist',
    ],
    ['two inputs', model([x, v, y]), 'expected one input and one output, got 2 and 1'],
    ['an input of open sides', model([info(11, 'x', [null, null]), y]), 'with known sides, got [?,?]'],
    ['no node for the output', model([x, y]), 'no node gives the output y'],
    ['an unknown operator', one('Loop'), 'node the-Loop (Loop): operator Loop is not known'],
    [
      'a clip of nothing',
      model([v, y, tensor(5, 'c', [], [1]), node('Clip', ['x', 'c', 'c'], ['y'])]),
      'expected min < max, got 1 and 1',
    ],
    [
      'a constant made far larger than the file',
      model([
        v,
        y,
        tensor(5, 'c', [], [1]),
        sub(5, num(1, 2), num(2, 7), str(8, 's'), ...[100_000, 100_000].map((n) => num(7, n))),
        node('Expand', ['c', 's'], ['e']),
      ]),
      'the weights of its nodes are more than 4 times',
    ],
    ['another domain', one('Conv', str(7, 'com.me')), 'operator com.me.Conv is not known'],
    ['an input from nowhere', model([x, y, node('Relu', ['z'], ['y'])]), 'no node before it gives "z"'],
    [
      'a loop',
      model([x, y, node('Relu', ['b'], ['a']), node('Relu', ['a'], ['b'])]),
      'no node before it gives "b"',
    ],
    [
      'a kernel that is computed',
      model([x, y, node('Conv', ['x', 'x'], ['y'])]),
      'expected the kernel as a constant',
    ],
    [
      'a kernel for other channels',
      model([x, y, tensor(5, 'k', [1, 3, 1, 1], [1, 1, 1]), node('Conv', ['x', 'k'], ['y'])]),
      'expected shape',
    ],
    [
      'a kernel of one dimension',
      model([x, y, tensor(5, 'k', [1, 2, 1], [1, 1]), node('Conv', ['x', 'k'], ['y'])]),
      'expected a kernel of two dimensions',
    ],
    [
      'a window larger than the image',
      one('MaxPool', ints('kernel_shape', [9, 9])),
      'gives an output of shape',
    ],
    ['no window', one('MaxPool'), 'kernel_shape: expected two whole numbers > 0, got []'],
    [
      'a stride of 0',
      one('MaxPool', ints('kernel_shape', [2, 2]), ints('strides', [0, 1])),
      'strides: expected two whole numbers > 0',
    ],
    [
      'negative pads',
      one('MaxPool', ints('kernel_shape', [2, 2]), ints('pads', [-1, 0, 0, 0])),
      'pads: expected four whole numbers ≥ 0',
    ],
    [
      'another auto_pad',
      one('MaxPool', ints('kernel_shape', [2, 2]), text('auto_pad', 'MOST')),
      'auto_pad MOST is not known',
    ],
    [
      'dilated pools',
      one('MaxPool', ints('kernel_shape', [2, 2]), ints('dilations', [2, 2])),
      'dilations are not known',
    ],
    [
      'a matrix on an image',
      model([x, y, w, node('MatMul', ['x', 'w'], ['y'])]),
      'expected batch × values; flatten before it',
    ],
    [
      'a turned input',
      model([v, y, w, node('Gemm', ['x', 'w'], ['y'], int('transA', 1))]),
      'transA is not known',
    ],
    [
      'a matrix of another size',
      model([info(11, 'x', [null, 3]), y, w, node('Gemm', ['x', 'w'], ['y'])]),
      'expected shape',
    ],
    [
      'a net in training',
      model([
        v,
        y,
        ...['a', 'b', 'c', 'd'].map((n) => tensor(5, n, [4], [1, 1, 1, 1])),
        node('BatchNormalization', ['x', 'a', 'b', 'c', 'd'], ['y'], int('training_mode', 1)),
      ]),
      'model.eval()',
    ],
    [
      'sums of shapes that do not broadcast',
      model([x, y, tensor(5, 'c', [3], [1, 1, 1]), node('Add', ['x', 'c'], ['y'])]),
      'expected shapes that broadcast, got [1,2,5,5] and [3]',
    ],
    [
      'a mean over the samples',
      model([v, y, node('ReduceMean', ['x'], ['y'], ints('axes', [0]))]),
      'axis 0 is that of the samples, which stay apart',
    ],
    [
      'a product that adds up over the samples',
      model([v, y, node('Transpose', ['x'], ['t'], ints('perm', [1, 0])), node('MatMul', ['t', 'x'], ['y'])]),
      'it adds up over the samples',
    ],
    [
      'samples joined to more',
      model([v, y, node('Concat', ['x', 'x'], ['y'], int('axis', 0))]),
      'axis 0 is that of the samples',
    ],
    [
      'a reshape that loses values',
      model([
        x,
        y,
        sub(5, num(1, 2), num(2, 7), str(8, 's'), ...[5, 9].map((n) => num(7, n))),
        node('Reshape', ['x', 's'], ['y']),
      ]),
      'shape [5,9] of [batch,2,5,5]',
    ],
    [
      'a choice that the input decides',
      model([x, y, node('If', ['x'], ['y'])]),
      'expected the condition as a constant',
    ],
    [
      'a fill of far too many values',
      model([
        v,
        y,
        sub(5, num(1, 2), num(2, 7), str(8, 's'), ...[1_000_000, 1_000_000].map((n) => num(7, n))),
        node('ConstantOfShape', ['s'], ['c']),
      ]),
      'the weights of its nodes are more than 4 times',
    ],
    [
      'places outside of a constant',
      model([
        v,
        y,
        tensor(5, 'c', [2], [1, 2]),
        sub(5, num(1, 1), num(2, 7), str(8, 'i'), num(7, 7)),
        node('Gather', ['c', 'i'], ['g']),
      ]),
      'of constants: index 7 of 2',
    ],
    [
      'a recurrent layer that starts elsewhere',
      model([
        info(11, 'x', [null, 5, 2]),
        y,
        node('Transpose', ['x'], ['t'], ints('perm', [1, 0, 2])),
        tensor(5, 'w', [1, 3, 2], Array(6).fill(1)),
        tensor(5, 'r', [1, 3, 3], Array(9).fill(1)),
        tensor(5, 'h', [1, 1, 3], [0, 1, 0]),
        node('RNN', ['t', 'w', 'r', '', '', 'h'], ['y']),
      ]),
      'expected a first state of zeros',
    ],
    [
      'one large tensor read a thousand times',
      model([
        info(11, 'x', [null, 1000]),
        y,
        tensor(5, 'w', [1000, 1000], Array(1e6).fill(0)),
        ...Array.from({ length: 1000 }, (_, i) => node('MatMul', [i ? `v${i}` : 'x', 'w'], [`v${i + 1}`])),
      ]),
      'the weights of its nodes are more than 4 times',
    ],
    [
      'a constant repeated a thousand million times',
      model([
        v,
        y,
        tensor(5, 'c', [1], [1]),
        sub(5, num(1, 1), num(2, 7), str(8, 'r'), num(7, 2 ** 30)),
        node('Tile', ['c', 'r'], ['t']),
        node('Add', ['x', 't'], ['y']),
      ]),
      'a constant of shape [1, 1073741824]',
    ],
    [
      'a constant of a negative shape',
      model([
        v,
        y,
        sub(5, num(1, 2), num(2, 7), str(8, 's'), num(7, -1), num(7, 4)),
        node('ConstantOfShape', ['s'], ['t']),
        node('Add', ['x', 't'], ['y']),
      ]),
      'a constant of shape [-1, 4]',
    ],
  ])('refuses %s in one line', async (_, bytes, message) => {
    const error = await read(bytes).catch((e) => e);
    expect(error).toBeInstanceOf(EpochscopeError);
    expect(error.message).toContain(message);
    expect(error.message).not.toContain('\n');
  });

  it('messages nested for ever end', async () => {
    let inner: Part = [];
    for (let i = 0; i < 60; i++) inner = sub(5, inner);
    // Attributes hold tensors; deeper fields are passed over without being opened.
    await expect(read(model([x, y, sub(1, str(4, 'Relu'), sub(5, inner))]))).rejects.toBeInstanceOf(
      EpochscopeError,
    );
  });
});
