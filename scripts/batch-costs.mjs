// What VAT of a file costs over tasks against one run, in processor time of whole processes, one thread each: the figures of
// docs/guides/outgrown.md. Checks that both give the same bytes.
//
//   node scripts/batch-costs.mjs [--n 300000] [--d 84] [--tasks 7]
import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const args = process.argv.slice(2);
const option = (name, otherwise) => (args.includes(name) ? Number(args[args.indexOf(name) + 1]) : otherwise);
const [n, d, wanted] = [option('--n', 300_000), option('--d', 84), option('--tasks', 7)];
const packages = resolve(import.meta.dirname, '../packages');
const { random } = await import(join(packages, 'analysis/dist/methods.js'));
const folder = mkdtempSync(join(tmpdir(), 'epochscope-costs-'));
const at = (...parts) => join(folder, ...parts);

/** Ten Gaussian clusters, centres uniform in a cube of side 8, as the kernels' bench has them. */
function writePoints(file) {
  const draw = random(1);
  const centres = Float32Array.from({ length: 10 * d }, () => 8 * draw.uniform());
  const text = `{'descr': '<f4', 'fortran_order': False, 'shape': (${n}, ${d}), }`;
  const head = Buffer.alloc(Math.ceil((11 + text.length) / 64) * 64, ' ');
  head.write('\x93NUMPY\x01\x00', 0, 'latin1');
  head.writeUInt16LE(head.length - 10, 8);
  head.write(text, 10);
  head.write('\n', head.length - 1);
  const fd = openSync(file, 'w');
  writeSync(fd, head);
  for (let from = 0; from < n; from += 10_000) {
    const rows = Math.min(10_000, n - from);
    const x = Float32Array.from(
      { length: rows * d },
      (_, i) => centres[((from + Math.floor(i / d)) % 10) * d + (i % d)] + draw.normal(),
    );
    writeSync(fd, Buffer.from(x.buffer));
  }
  closeSync(fd);
}

/** Processor seconds of a command. */
function cost(...command) {
  const { status, stderr } = spawnSync(
    '/usr/bin/time',
    ['-f', 'COST %U %S %M', process.execPath, join(packages, 'cli/dist/main.js'), ...command],
    { encoding: 'utf8', maxBuffer: 1 << 28 },
  );
  if (status !== 0) throw new Error(stderr.slice(-500));
  const [, user, system, memory] = /COST ([\d.]+) ([\d.]+) (\d+)/.exec(stderr);
  return { seconds: Number(user) + Number(system), memory: Number(memory) / 1000 };
}

const bytesOf = (result) =>
  readdirSync(at(result), { recursive: true })
    .map(String)
    .filter((path) => path.endsWith('.npy'))
    .sort((a, b) => (a.split('/').at(-1) < b.split('/').at(-1) ? -1 : 1))
    .map((path) => readFileSync(at(result, path)));

writePoints(at('x.npy'));
const load = loadavg()[0];
const one = cost('tendency', at('x.npy'), '--threads', '1', '-o', at('one'));
const { tasks, memory } = JSON.parse(
  execFileSync(
    process.execPath,
    [
      join(packages, 'cli/dist/main.js'),
      ...['batch', 'plan', at('batch'), '--tasks', String(wanted), '--no-estimate', '--json'],
      ...['--', 'tendency', at('x.npy'), '-o', at('many')],
    ],
    { encoding: 'utf8' },
  ),
);
const each = Array.from({ length: tasks }, (_, i) =>
  cost('batch', 'task', at('batch'), '--threads', '1', '--index', String(i)),
);
const reduce = cost('batch', 'reduce', at('batch'), '--threads', '1');
const same = bytesOf('one').every((bytes, i) => bytes.equals(bytesOf('many')[i]));
const sum = each.reduce((total, { seconds }) => total + seconds, 0) + reduce.seconds;
// q² + q + 1 tasks of q + 1 blocks each.
const q = Math.round((Math.sqrt(4 * tasks - 3) - 1) / 2);
const pairs = (q + 1) ** 2 / (q * q + q + 1);
console.log(
  `${n} × ${d} in ${tasks} tasks (${cpus()[0].model.trim()}, Node ${process.version}, load ${load.toFixed(1)}): one run ${one.seconds.toFixed(1)} s of processor time and ${one.memory.toFixed(0)} MB; tasks ${(sum - reduce.seconds).toFixed(1)} s, each at most ${Math.max(...each.map((task) => task.memory)).toFixed(0)} MB (planned ${(memory / 1e6).toFixed(0)}); reduce ${reduce.seconds.toFixed(1)} s`,
);
console.log(
  `${(sum / one.seconds).toFixed(2)} times one run; pairs are computed ${pairs.toFixed(2)} times, so ${(sum / one.seconds / pairs).toFixed(2)} of that; the same bytes: ${same ? 'yes' : 'NO'}`,
);
rmSync(folder, { recursive: true });
process.exitCode = same ? 0 : 1;
