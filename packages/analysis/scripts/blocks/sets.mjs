// Ten kinds of data on which rules for counting blocks are compared: { name, truth, seed, x, labels }. Seeded.
import { openRun } from '@epochscope/analysis';
import { random } from '@epochscope/analysis/methods';
import { openDataset } from '@epochscope/analysis/models';

/** Rows of `d` numbers for n samples: of(i, source) fills one and gives its class. */
function points(n, d, seed, of) {
  const source = random(seed, n, d);
  const data = new Float32Array(n * d);
  const labels = Uint32Array.from({ length: n }, (_, i) => of(i, source, data.subarray(i * d, (i + 1) * d)));
  return { x: { data, shape: [n, d] }, labels };
}
const normal = (row, source, sd = 1) => {
  for (let k = 0; k < row.length; k++) row[k] += sd * source.normal();
};

/** k Gaussians of spread 1 around centres of spread `apart`. */
function blobs(n, d, k, apart, seed) {
  const source = random(seed, 77);
  const centres = Float64Array.from({ length: k * d }, () => apart * source.normal());
  return points(n, d, seed, (i, at, row) => {
    const label = i % k;
    row.set(centres.subarray(label * d, (label + 1) * d));
    normal(row, at);
    return label;
  });
}

/** [name, number of blocks an eye or the classes say, maker]. n samples a seed; iris is the same for every seed. */
const MADE = [
  ['blobs far, d = 10', 10, (n, seed) => blobs(n, 10, 10, 6, seed)],
  ['blobs near, d = 10', 5, (n, seed) => blobs(n, 10, 5, 2, seed)],
  ...[2, 10, 84].map((d) => [
    `uniform, d = ${d}`,
    0,
    (n, seed) =>
      points(n, d, seed, (_, at, row) => {
        for (let k = 0; k < d; k++) row[k] = at.uniform();
        return 0;
      }),
  ]),
  ...[2, 10, 84].map((d) => [
    `Gaussian, d = ${d}`,
    0,
    (n, seed) =>
      points(n, d, seed, (_, at, row) => {
        normal(row, at);
        return 0;
      }),
  ]),
  [
    'moons, d = 2',
    2,
    (n, seed) =>
      points(n, 2, seed, (i, at, row) => {
        const [turn, t] = [i % 2, Math.PI * at.uniform()];
        row.set(turn ? [1 - Math.cos(t), 0.5 - Math.sin(t)] : [Math.cos(t), Math.sin(t)]);
        normal(row, at, 0.07);
        return turn;
      }),
  ],
  [
    'unequal densities, d = 2',
    3,
    (n, seed) =>
      points(n, 2, seed, (i, at, row) => {
        const label = i % 3;
        row.fill(8 * label);
        normal(row, at, [0.2, 1, 2][label]);
        return label;
      }),
  ],
];

/** The made ones with seeds 1 … seeds; iris; the first digits of the test set, in parts; and layers of runs, if any are given. */
export async function* sets({ n, seeds, iris, runs }) {
  for (const [name, truth, make] of MADE)
    for (let seed = 1; seed <= seeds; seed++) yield { name, truth, seed, ...make(n, seed) };
  yield { name: 'iris, d = 4', truth: 3, seed: 1, ...iris };
  const { train, shape } = await openDataset('bundled');
  const size = shape.reduce((a, b) => a * b, 1);
  for (let seed = 1; seed <= seeds; seed++) {
    const from = (seed - 1) * n;
    yield {
      name: 'MNIST pixels, d = 784',
      truth: 10,
      seed,
      x: { data: Float32Array.from(train.images.subarray(from * size, (from + n) * size)), shape: [n, size] },
      labels: Uint32Array.from(train.labels.subarray(from, from + n)),
    };
  }
  for (const [i, folder] of runs.entries()) {
    const run = await openRun(folder);
    const labels = Uint32Array.from((await run.labels()).subarray(0, n));
    for (const { id } of run.manifest.snapshots)
      for (const layer of ['R3', 'R4', 'S5']) {
        const { data, shape } = await run.outputs(id, layer);
        const x = { data: data.subarray(0, n * shape[1]), shape: [n, shape[1]] };
        yield { name: `LeNet-5 ${layer} ${id}`, truth: 10, seed: i + 1, x, labels };
      }
  }
}
