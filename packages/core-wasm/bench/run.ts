// `npm run bench [-- --quick] [--only pairwise,vat] [--peers python] [--write] [--runs 5] [--budget 4]`
// Times each kernel against the peers npm has, on the same data in the same run; prints a table, and with --write
// saves
// docs/benchmarks.md and docs/benchmarks.json.
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { detectFeatures, loadKernels } from '../src/load.js';
import { benches } from './list.js';
import { type CaseResult, measure } from './measure.js';
import { pythonPeers } from './python.js';
import { markdown, type Report, row } from './table.js';
import { startThreads } from './threads.js';

const USAGE = `npm run bench [-- OPTIONS]: times each kernel beside its peers, on the same data in the same run.

  --only vat,ivat   these kernels: ${benches.map((b) => b.kernel).join(', ')}
  --quick           small sizes, seconds
  --peers python    bench/peers.py's too, those that python3 ($PYTHON) has
  --runs 5          runs of each contender
  --budget 4        seconds for one contender at one size
  --one-thread      leave several threads out: on a machine in use only processor time tells something
  --limit 600       seconds for one call of a Python peer: one likely to take longer is left out
  --mnist FOLDER    also MNIST's pixels, from train-images-idx3-ubyte.gz
  --cases TEXT      only cases whose data hold this text: "n=10000 d=2 "
  --write           saves docs/benchmarks.md and docs/benchmarks.json
`;

/** Wrong use: says so and how it is meant, and ends. */
function usage(problem: string): never {
  process.stderr.write(`bench: ${problem}\n\n${USAGE}`);
  process.exit(2);
}

function options() {
  try {
    return parseArgs({
      options: {
        help: { type: 'boolean', short: 'h', default: false },
        quick: { type: 'boolean', default: false },
        only: { type: 'string' },
        peers: { type: 'string' },
        write: { type: 'boolean', default: false },
        runs: { type: 'string', default: '5' },
        budget: { type: 'string', default: '4' },
        limit: { type: 'string', default: '600' },
        'one-thread': { type: 'boolean', default: false },
        mnist: { type: 'string' },
        cases: { type: 'string' },
      },
    });
  } catch (error) {
    return usage((error as Error).message);
  }
}
const { values } = options();
if (values.help) {
  process.stdout.write(USAGE);
  process.exit(0);
}
for (const name of ['runs', 'budget', 'limit'] as const)
  if (!(Number(values[name]) > 0)) usage(`--${name} ${values[name]}: expected a number above 0`);

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', '..');
const only = values.only?.split(',');
const unknown = only?.filter((name) => !benches.some((bench) => bench.kernel === name)) ?? [];
if (unknown.length) usage(`--only ${unknown.join(',')}: no such kernel`);
if (values.peers && values.peers !== 'python') usage(`--peers ${values.peers}: known is python`);

const version = (name: string) => {
  try {
    return JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8'))
      .version as string;
  } catch {
    return 'not installed';
  }
};
const peerNames = [
  '@tensorflow/tfjs-backend-wasm',
  'ml-distance',
  'ml-hclust',
  '@saehrimnir/druidjs',
  'ml-matrix',
  'assemblyscript',
];
const machine = {
  cpu: cpus()[0]?.model ?? 'unknown',
  cores: cpus().length,
  memory: totalmem(),
  platform: `${process.platform} ${process.arch}`,
  node: process.versions.node,
  v8: process.versions.v8,
  versions: Object.fromEntries(peerNames.map((name) => [name, version(name)])),
};

const python = values.peers === 'python' ? await pythonPeers(Number(values.limit)) : null;
process.stderr.write(`${machine.cpu}, ${machine.cores} cores, Node ${machine.node}
Each line: the fastest run, its rate, and how many times as long as the first line it takes.
`);
const relaxed = detectFeatures().relaxedSimd ? await loadKernels({ relaxed: true }) : null;
const threads =
  cpus().length > 1 && !values['one-thread'] ? await startThreads(Math.min(cpus().length, 8)) : null;
const context = {
  kernels: await loadKernels(),
  relaxed,
  threads,
  quick: values.quick,
  mnist: values.mnist ?? null,
};
const results: CaseResult[] = [];
for (const bench of benches) {
  if (only && !only.includes(bench.kernel)) continue;
  for await (const benchCase of bench.cases(context)) {
    if (values.cases && !benchCase.data.includes(values.cases)) continue;
    const peers = python ? python.contenders(benchCase) : [];
    const result = await measure(
      bench.kernel,
      { ...benchCase, contenders: [...benchCase.contenders, ...peers] },
      Number(values.runs),
      Number(values.budget),
      values.quick,
    );
    result.cpu = machine.cpu;
    if (python && benchCase.python) result.python = python.versions;
    results.push(result);
    for (const line of row(result)) process.stdout.write(`${line}\n`);
    if (values.write) save();
  }
}
await python?.close();
await threads?.close();

function nameOf({ kernel, work, data }: CaseResult): string {
  return `${kernel}: ${work}, ${data}`;
}

/** Writes what is measured, and keeps what was measured before of kernels and cases not asked for. */
function save(): void {
  const file = join(root, 'docs', 'benchmarks.json');
  let before: CaseResult[] = [];
  try {
    const old = JSON.parse(readFileSync(file, 'utf8')) as Report;
    before = old.results
      .filter(({ kernel, load }) => load !== undefined && (values.cases || (only && !only.includes(kernel))))
      .map((result) => ({ ...result, cpu: result.cpu ?? old.machine.cpu }));
  } catch {
    // None yet.
  }
  const renewed = new Map(results.map((result) => [nameOf(result), result]));
  const known = new Set(before.map(nameOf));
  const all = [
    ...before.map((result) => renewed.get(nameOf(result)) ?? result),
    ...results.filter((result) => !known.has(nameOf(result))),
  ];
  const report: Report = {
    format: 'epochscope-bench/1',
    machine,
    results: benches.flatMap(({ kernel }) => all.filter((result) => result.kernel === kernel)),
  };
  writeFileSync(file, `${JSON.stringify(report, null, 1)}\n`);
  writeFileSync(join(root, 'docs', 'benchmarks.md'), markdown(report));
}
