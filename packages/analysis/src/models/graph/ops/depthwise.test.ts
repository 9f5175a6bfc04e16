import { expect, it } from 'vitest';
import type { Tensor } from '../../../formats/types.js';
import { random } from '../../../random.js';
import { prepareTf } from '../../index.js';
import { type Graph, type GraphNode, GraphRunner, INPUT } from '../index.js';

const [height, width, channels] = [9, 8, 5];
const source = random(7);
const normal = (size: number) => Float32Array.from({ length: size }, () => source.normal());

/** A convolution of each channel: as one node, and as one node a channel on its slice. */
function both(rows: number, columns: number, stride: number, dilation: number, padding: number[]): Graph[] {
  const data = normal(rows * columns * channels);
  const tensor = (values: Float32Array, last: number): Tensor => ({
    data: values,
    shape: [rows, columns, 1, last],
    dtype: 'float32',
  });
  const window = { strides: [stride, stride], dilations: [dilation, dilation], padding };
  const each = Array.from({ length: channels }, (_, c) => c);
  const one = (name: string, from: string, kernel: string, groups: number): GraphNode => ({
    name,
    inputs: [from],
    kind: 'conv2d',
    kernel,
    groups,
    ...window,
  });
  return [
    {
      inputShape: [height, width, channels],
      nodes: [one('y', INPUT, 'k', channels)],
      weights: new Map([['k', tensor(data, channels)]]),
    },
    {
      inputShape: [height, width, channels],
      nodes: [
        ...each.flatMap((c): GraphNode[] => [
          { name: `x${c}`, inputs: [INPUT], kind: 'slice', begin: [0, 0, c], size: [height, width, 1] },
          one(`y${c}`, `x${c}`, `k${c}`, 1),
        ]),
        { name: 'y', inputs: each.map((c) => `y${c}`), kind: 'concat' },
      ],
      weights: new Map(
        each.map(
          (c) =>
            [
              `k${c}`,
              tensor(
                data.filter((_, i) => i % channels === c),
                1,
              ),
            ] as const,
        ),
      ),
    },
  ];
}

it('convolutions of one channel a group have the bits, and the derivatives, of each channel by itself', async () => {
  const tf = await prepareTf();
  const before = tf.memory().numTensors;
  const x = normal(3 * height * width * channels);
  for (const [rows, columns, stride, dilation, padding] of [
    [3, 3, 1, 1, [1, 1, 1, 1]],
    [5, 5, 2, 1, [1, 2, 2, 2]],
    [4, 2, 1, 1, [0, 0, 0, 0]],
    [1, 7, 1, 1, [0, 0, 3, 3]],
    [2, 3, 2, 2, [0, 1, 2, 2]],
    [7, 7, 1, 1, [3, 3, 3, 3]],
  ] as const) {
    const runners = both(rows, columns, stride, dilation, [...padding]).map(
      (graph) => new GraphRunner(tf, graph),
    );
    const [whole, parts] = runners.map((runner) => runner.run(x, 3).get('y')!);
    expect(whole, `${rows} × ${columns}`).toEqual(parts);
    const [v, u] = [normal(x.length / 3), normal(whole!.length / 3)];
    const products = runners.map((runner) => {
      const at = runner.at(x.subarray(0, x.length / 3));
      const found = [at.jvp(v, 1, INPUT, 'y'), at.vjp(u, 1, INPUT, 'y')];
      at.dispose();
      return found;
    });
    expect(products[0], `${rows} × ${columns}`).toEqual(products[1]);
    for (const runner of runners) runner.dispose();
  }
  expect(tf.memory().numTensors).toBe(before);
});
