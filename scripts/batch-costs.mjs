// What VAT of a file costs over tasks against one run, in processor time of whole processes, one thread each: the figures of
// docs/guides/outgrown.md. Checks that both give the same bytes. TMPDIR says where the files go.
//
//   node scripts/batch-costs.mjs [--n 300000] [--d 84] [--tasks 7] [--slurm | --dry]
//
// With --dry only the plan is made, and how long its tasks will take on 100 cores said. With --slurm the tasks and reduce run on a real Slurm of two nodes on this machine, as root with slurm-wlm and munge, and the one run meanwhile.
import { execFile, execFileSync } from 'node:child_process';
import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';

const args = process.argv.slice(2);
const option = (name, otherwise) => (args.includes(name) ? Number(args[args.indexOf(name) + 1]) : otherwise);
const [n, d, wanted] = [option('--n', 300_000), option('--d', 84), option('--tasks', 7)];
const CORES = 100;
const root = resolve(import.meta.dirname, '..');
const program = join(root, 'packages/cli/dist/main.js');
const { random } = await import(join(root, 'packages/analysis/dist/methods.js'));
const folder = mkdtempSync(join(tmpdir(), 'epochscope-costs-'));
const at = (...parts) => join(folder, ...parts);

const TABLE = 1 << 22;

/** Ten Gaussian clusters, centres uniform in a cube of side 8, as the kernels' bench has them; for a plan alone, noise from a table. */
function writePoints(file, fromTable) {
  const draw = random(1);
  const table = Float32Array.from({ length: fromTable ? TABLE : 0 }, () => draw.normal());
  const row = (x, r, of) => {
    const noise = fromTable ? draw.below(TABLE - d) : 0;
    for (let k = 0; k < d; k++)
      x[r * d + k] = centres[(of % 10) * d + k] + (fromTable ? table[noise + k] : draw.normal());
  };
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
    const x = new Float32Array(rows * d);
    for (let r = 0; r < rows; r++) row(x, r, from + r);
    writeSync(fd, Buffer.from(x.buffer));
  }
  closeSync(fd);
}

// Each process of Node says at its end what it took.
writeFileSync(
  at('cost.cjs'),
  `if (require('node:worker_threads').isMainThread)
  process.on('exit', (code) => {
    const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
    const took = { what: process.argv[3], code, seconds: (userCPUTime + systemCPUTime) / 1e6, memory: maxRSS / 1000 };
    require('node:fs').appendFileSync(process.env.COSTS, JSON.stringify(took) + '\\n');
  });
`,
);
const env = { ...process.env, COSTS: at('costs'), NODE_OPTIONS: `--require=${at('cost.cjs')}` };
const epochscope = (...command) =>
  execFileSync(process.execPath, [program, ...command], {
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 1 << 28,
  });
/** What processes took that have ended, by what they did. */
const costs = (what) =>
  readFileSync(at('costs'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
    .filter((one) => one.what === what && one.code === 0);

/** All tasks and reduce on two nodes; the nodes that had one. */
async function onSlurm() {
  const slurm = join(root, 'tests/scale/slurm.sh');
  execFileSync(slurm, ['up', at('slurm'), '2'], { stdio: 'inherit' });
  try {
    env.SLURM_CONF = at('slurm', 'slurm.conf');
    const { jobs, reduce } = JSON.parse(epochscope('batch', 'submit', at('batch'), '--slurm', '--json'));
    const running = () =>
      execFileSync('squeue', ['-h', '-j', [...jobs, reduce].join(',')], { env, encoding: 'utf8' }).trim();
    while (running()) await wait(1000);
    const done = readFileSync(at('slurm', 'log', 'jobcomp'), 'utf8').match(/NodeList=\S+/g) ?? [];
    return new Set(done).size;
  } finally {
    execFileSync(slurm, ['down', at('slurm')], { stdio: 'inherit' });
  }
}

/** The arrays of a result by name, without the folder that each writing has for its own. */
const arraysOf = (result) =>
  new Map(
    readdirSync(at(result), { recursive: true })
      .map(String)
      .filter((path) => path.endsWith('.npy'))
      .map((path) => [path.split('/').at(-1), readFileSync(at(result, path))]),
  );

const tell = (text) => console.error(`${new Date().toISOString().slice(11, 19)} ${text}`);
tell(`writing ${n} × ${d} points to ${folder}`);
const dry = args.includes('--dry');
writePoints(at('x.npy'), dry);
const load = loadavg()[0];
tell('plan');
const plan = JSON.parse(
  epochscope(
    ...['batch', 'plan', at('batch'), '--tasks', String(wanted), '--json'],
    ...(dry ? [] : ['--no-estimate']),
    ...['--', 'tendency', at('x.npy'), '-o', at('many')],
  ),
);
const { tasks, memory } = plan;
const MB = (size) => `${size.toFixed(0)} MB`;
if (dry) {
  const [{ seconds, memory: peak }] = costs('plan');
  const rounds = Math.ceil(tasks / CORES);
  const [low, high] = plan.coreHours;
  const minutes = (hours) => ((60 * hours * rounds) / tasks).toFixed(1);
  console.log(
    `${n} × ${d} in ${tasks} tasks of at most ${MB(memory / 1e6)}, which read ${(plan.reads / 1e9).toFixed(1)} GB; reduce ${MB(plan.reduceMemory / 1e6)}; ${low.toFixed(1)} to ${high.toFixed(1)} core-hours, on ${CORES} cores ${rounds} rounds of tasks, ${minutes(low)} to ${minutes(high)} minutes; the plan itself ${seconds.toFixed(0)} s of processor time and ${MB(peak)} (${cpus()[0].model.trim()}, Node ${process.version}, load ${load.toFixed(1)})`,
  );
  rmSync(folder, { recursive: true });
  process.exit();
}
tell(`${tasks} tasks`);
const begun = promisify(execFile)(
  process.execPath,
  [program, 'tendency', at('x.npy'), '--threads', '1', '-o', at('one')],
  { env },
).then(() => tell('the one run is done'));
let nodes = 0;
if (args.includes('--slurm')) [nodes] = await Promise.all([onSlurm(), begun]);
else {
  await begun;
  for (let i = 0; i < tasks; i++)
    epochscope('batch', 'task', at('batch'), '--threads', '1', '--index', String(i));
  epochscope('batch', 'reduce', at('batch'), '--threads', '1');
}
const [[one], each, [reduce]] = [costs(at('x.npy')), costs('task'), costs('reduce')];
const [alone, together] = [arraysOf('one'), arraysOf('many')];
const same =
  alone.size === together.size &&
  [...alone].every(([name, bytes]) => together.has(name) && bytes.equals(together.get(name)));
const ofTasks = each.reduce((total, { seconds }) => total + seconds, 0);
const sum = ofTasks + reduce.seconds;
// q² + q + 1 tasks of q + 1 blocks each.
const q = Math.round((Math.sqrt(4 * tasks - 3) - 1) / 2);
const pairs = (q + 1) ** 2 / (q * q + q + 1);
console.log(
  `${n} × ${d} in ${tasks} tasks${nodes ? ` on ${nodes} nodes of Slurm` : ''} (${cpus()[0].model.trim()}, Node ${process.version}, load ${load.toFixed(1)}): one run ${one.seconds.toFixed(1)} s of processor time and ${MB(one.memory)}; tasks ${ofTasks.toFixed(1)} s, each at most ${MB(Math.max(...each.map((task) => task.memory)))} (planned ${MB(memory / 1e6)}); reduce ${reduce.seconds.toFixed(1)} s and ${MB(reduce.memory)}`,
);
console.log(
  `${(sum / one.seconds).toFixed(2)} times one run; pairs are computed ${pairs.toFixed(2)} times, so ${(sum / one.seconds / pairs).toFixed(2)} of that; the same bytes of ${alone.size} arrays: ${same ? 'yes' : 'NO'}`,
);
rmSync(folder, { recursive: true, maxRetries: 50, retryDelay: 100 });
process.exitCode = same && each.length === tasks ? 0 : 1;
