// What commands say of their memory and what they take: node scripts/estimates.mjs MNIST [--only PATTERN]. MNIST: a folder of its IDX files.
// Each is run as people run it; its peak above that of the same command on little data, against its "estimate: … of memory". Of estimates
// over 500 MB the peak is to stay within 1.3 times. After `npx turbo run build`; Linux; a quarter of an hour.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { encodeNpy } from '../packages/analysis/dist/formats.js';
import { random as seeded } from '../packages/analysis/dist/random.js';

const { values, positionals } = parseArgs({ allowPositionals: true, options: { only: { type: 'string' } } });
const [mnist] = positionals;
if (!mnist) {
  process.stderr.write('estimates: expected a folder of MNIST IDX files\n');
  process.exit(2);
}
const place = mkdtempSync(join(tmpdir(), 'epochscope-estimates-'));
const main = join(import.meta.dirname, '..', 'packages', 'cli', 'dist', 'main.js');
const hook = join(place, 'hook.mjs');
// The peak of the process itself, written when it ends.
writeFileSync(
  hook,
  `import { readFileSync, writeFileSync } from 'node:fs';
process.on('exit', () => process.env.PEAK && writeFileSync(process.env.PEAK, /VmHWM:\\s+(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]));`,
);

/** Twelve normal blobs, as .npy. */
function blobs(name, n, d, Type) {
  const random = seeded(n);
  const centres = Float64Array.from({ length: 12 * d }, () => 100 * random.uniform());
  const data = new Type(n * d);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < d; j++) data[i * d + j] = centres[(i % 12) * d + j] + 20 * random.uniform();
  const path = join(place, name);
  writeFileSync(path, encodeNpy(data, [n, d]));
  return path;
}

function run(args) {
  const peak = join(place, 'peak');
  const { status, stderr } = spawnSync(process.execPath, ['--import', hook, main, ...args], {
    encoding: 'utf8',
    env: { ...process.env, PEAK: peak },
    maxBuffer: 1 << 26,
  });
  if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}: ${stderr.slice(-500)}`);
  const said = /estimate(?: in \d+ parts)?: ([\d.]+) (kB|MB|GB) of memory/.exec(stderr);
  const factor = { kB: 1e3, MB: 1e6, GB: 1e9 };
  return {
    peak: 1024 * Number(readFileSync(peak, 'utf8')),
    estimate: said ? Number(said[1]) * factor[said[2]] : null,
  };
}

let made = 0;
const out = () => join(place, `out-${made++}`);
const trained = join(place, 'run');
const few = (name) => blobs(name, 50, 84, Float32Array);
const little = () => ['tendency', few('few.npy'), '-o', out()];
/** A command, and the same on little data. */
const JOBS = [
  [
    'tendency of 200 000 × 84 float32',
    () => ['tendency', blobs('a.npy', 200_000, 84, Float32Array), '-o', out()],
    little,
  ],
  [
    'tendency of 60 000 × 784 float64',
    () => ['tendency', blobs('b.npy', 60_000, 784, Float64Array), '-o', out()],
    little,
  ],
  [
    'tendency of 60 000 × 784 uint8, Manhattan',
    () => [
      'tendency',
      blobs('c.npy', 60_000, 784, Uint8Array),
      '--metric',
      'manhattan',
      '-o',
      out(),
      '--samples',
      '20000',
    ],
    little,
  ],
  [
    'tendency of 12 000 × 4000 float32, cosine',
    () => ['tendency', blobs('d.npy', 12_000, 4000, Float32Array), '--metric', 'cosine', '-o', out()],
    little,
  ],
  [
    'difference of two of 60 000 × 84',
    () => [
      'difference',
      blobs('e.npy', 60_000, 84, Float32Array),
      blobs('f.npy', 60_000, 84, Float64Array),
      '-o',
      out(),
    ],
    () => ['difference', few('g.npy'), few('h.npy'), '-o', out()],
  ],
  [
    'path in 200 000 × 84',
    () => ['path', blobs('i.npy', 200_000, 84, Float32Array), '--between', '1,2', '-o', out()],
    () => ['path', few('few.npy'), '--between', '1,2', '-o', out()],
  ],
  [
    'train LeNet-5 on 60 000, one epoch',
    () => ['train', 'lenet5', '--data', mnist, '--epochs', '1', '--samples', '10000', '-o', trained],
    () => [
      'train',
      'lenet5',
      '--data',
      'bundled',
      '--epochs',
      '1',
      '--samples',
      '100',
      '-o',
      join(place, 'short'),
    ],
  ],
  [
    'tendency of that run, its samples captured',
    () => ['tendency', trained],
    () => ['tendency', join(place, 'short')],
  ],
  [
    'modules of that run over 60 000 samples',
    () => ['modules', trained, '--samples', '60000'],
    () => ['modules', join(place, 'short'), '--samples', '100'],
  ],
  ['geometry of that run', () => ['geometry', trained], () => ['geometry', join(place, 'short')]],
];
process.stdout.write(
  `${cpus()[0].model}, Node ${process.version}\n| job | estimate MB | peak MB above a small one | ratio |\n|---|---|---|---|\n`,
);
try {
  for (const [name, large, small] of JOBS) {
    if (values.only && !new RegExp(values.only).test(name)) continue;
    const base = run(small()).peak;
    const { peak, estimate } = run(large());
    const mega = (bytes) => (bytes === null ? '–' : Math.round(bytes / 1e6));
    const ratio = estimate ? ((peak - base) / estimate).toFixed(2) : '–';
    process.stdout.write(`| ${name} | ${mega(estimate)} | ${mega(peak - base)} | ${ratio} |\n`);
  }
} finally {
  rmSync(place, { recursive: true, force: true });
}
