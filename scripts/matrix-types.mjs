// What a number type costs: node scripts/matrix-types.mjs [ROWS, 30000] [COLUMNS, 1000] [TYPES, all, as "float32;int64"]
// The same ten Gaussian clusters as .npy files of several number types, `tendency` on each by a process of its own: processor time and the
// peak of its memory beside the first's. float64 and int64 hold digits that float32 does not, so that their columns are centred; "short" has
// only what float32 holds. After `npx turbo run build`. Compare processor time: others may use the machine too.
import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';

const [rows = '30000', columns = '1000', wanted] = process.argv.slice(2);
const [n, d] = [Number(rows), Number(columns)];
const main = join(import.meta.dirname, '..', 'packages', 'cli', 'dist', 'main.js');

/** Seeded normal numbers, by sums of uniform ones: the same on every machine. */
function* clusters() {
  let state = 12345;
  const uniform = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const normal = () => (uniform() + uniform() + uniform() + uniform() - 2) * Math.sqrt(3);
  const centres = Array.from({ length: 10 * d }, () => 4 * normal());
  for (let i = 0; i < n; i++) {
    const begin = (i % 10) * d;
    yield Float64Array.from({ length: d }, (_, k) => centres[begin + k] + normal());
  }
}

const SECONDS = 1.7e9;
const halves = (row) => {
  const narrow = Float32Array.from(row);
  const bits = new Uint32Array(narrow.buffer);
  // Numbers between 2⁻¹⁴ and 65504, cut off to ten bits.
  return Uint16Array.from(bits, (b) =>
    (b & 0x7fffffff) < 0x38800000
      ? 0
      : ((b >>> 16) & 0x8000) | ((((b >>> 23) & 255) - 112) << 10) | ((b >>> 13) & 1023),
  );
};
const KINDS = {
  float32: ['<f4', (row) => Float32Array.from(row)],
  float64: ['<f8', (row) => row],
  'float64, short': ['<f8', (row) => Float64Array.from(Float32Array.from(row))],
  'float64, offset': ['<f8', (row) => row.map((x) => x + SECONDS)],
  int64: ['<i8', (row) => BigInt64Array.from(row, (x) => BigInt(Math.round(1e6 * (x + SECONDS))))],
  'int64, short': ['<i8', (row) => BigInt64Array.from(row, (x) => BigInt(Math.round(1000 * x)))],
  float16: ['<f2', halves],
  int8: ['|i1', (row) => Int8Array.from(row, (x) => Math.round(4 * x))],
};

function write(path, [descr, convert]) {
  const head = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${n}, ${d}), }`.padEnd(117);
  const file = openSync(path, 'w');
  writeSync(file, Buffer.from(`\x93NUMPY\x01\x00\x76\x00${head}\n`, 'latin1'));
  for (const row of clusters()) writeSync(file, new Uint8Array(convert(row).buffer));
  closeSync(file);
}

// The process itself says what it took, all threads together.
const meter =
  'data:text/javascript,process.on("exit",()=>process._rawDebug("used "+JSON.stringify(process.resourceUsage())))';

const place = mkdtempSync(join(tmpdir(), 'epochscope-types-'));
try {
  console.log(`${n} × ${d}; ${cpus().length} × ${cpus()[0].model}, Node ${process.versions.node}`);
  console.log(
    'type               user s  system s  wall s    MB  user: ×first  memory: ×first    load  blocks',
  );
  let base;
  for (const [kind, how] of Object.entries(KINDS)) {
    if (wanted && !wanted.split(';').includes(kind)) continue;
    const path = join(place, 'x.npy');
    write(path, how);
    const begun = performance.now();
    const { status, stderr, stdout } = spawnSync(
      process.execPath,
      ['--import', meter, main, 'tendency', path, '--json', '--force', '-o', join(place, 'out')],
      { encoding: 'utf8', maxBuffer: 1e8 },
    );
    const wall = (performance.now() - begun) / 1000;
    if (status !== 0) throw new Error(`${kind}: ${stderr}`);
    const used = JSON.parse(/^used (.*)$/m.exec(stderr)[1]);
    const [user, system, memory] = [used.userCPUTime / 1e6, used.systemCPUTime / 1e6, used.maxRSS / 1e3];
    base ??= { user, memory };
    console.log(
      [
        kind.padEnd(15),
        user.toFixed(1).padStart(7),
        system.toFixed(1).padStart(9),
        wall.toFixed(1).padStart(7),
        memory.toFixed(0).padStart(5),
        (user / base.user).toFixed(2).padStart(15),
        (memory / base.memory).toFixed(2).padStart(17),
        loadavg()[0].toFixed(1).padStart(5),
        String(JSON.parse(stdout).panels[0].blocks).padStart(7),
      ].join(' '),
    );
  }
} finally {
  rmSync(place, { recursive: true, force: true });
}
