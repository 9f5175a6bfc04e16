// Measures what a series of large checkpoints costs: writes ten snapshots of a net of 1.1 billion bfloat16 parameters (the shapes of a
// Llama of 22 blocks; sparse files, in which a stretch of every tensor holds numbers that drift from snapshot to snapshot), links them
// and runs info, info --check, change with its tracks, each in a process of its own.
//
//   node scripts/large-series.mjs [FOLDER] [--snapshots 10] [--copy]
//
// Prints a table of seconds and largest resident memory. --copy also imports the first two without --link.
import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, ftruncateSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';
import { join, resolve } from 'node:path';

const args = process.argv.slice(2);
const option = (name, otherwise) => {
  const at = args.indexOf(name);
  return at < 0 ? otherwise : Number(args[at + 1]);
};
const folder = resolve(
  args.find((arg) => !arg.startsWith('--') && !/^\d+$/.test(arg)) ?? '/tmp/epochscope-large',
);
const snapshots = option('--snapshots', 10);
const cli = resolve(import.meta.dirname, '../packages/cli/dist/main.js');

/** Values of a tensor that are written; the rest is a hole in the file, read as zeros. */
const WRITTEN = 1 << 18;

const [vocabulary, width, inner, blocks, kv] = [32_000, 2048, 5632, 22, 256];
const shapes = new Map([['model.embed_tokens.weight', [vocabulary, width]]]);
for (let b = 0; b < blocks; b++) {
  const block = `model.layers.${b}`;
  shapes.set(`${block}.input_layernorm.weight`, [width]);
  for (const [name, shape] of Object.entries({
    q_proj: [width, width],
    k_proj: [kv, width],
    v_proj: [kv, width],
    o_proj: [width, width],
  }))
    shapes.set(`${block}.self_attn.${name}.weight`, shape);
  for (const [name, shape] of Object.entries({
    gate_proj: [inner, width],
    up_proj: [inner, width],
    down_proj: [width, inner],
  }))
    shapes.set(`${block}.mlp.${name}.weight`, shape);
  shapes.set(`${block}.post_attention_layernorm.weight`, [width]);
}
shapes.set('model.norm.weight', [width]);
shapes.set('lm_head.weight', [vocabulary, width]);
const parameters = [...shapes.values()].reduce((sum, shape) => sum + shape.reduce((a, b) => a * b), 0);

/** bfloat16 of a number. */
const half = new Float32Array(1);
const word = new Uint32Array(half.buffer);
const bf16 = (value) => {
  half[0] = value;
  return word[0] >>> 16;
};

function writeSnapshot(file, snapshot) {
  const header = {};
  let at = 0;
  for (const [name, shape] of shapes) {
    const end = at + 2 * shape.reduce((a, b) => a * b);
    header[name] = { dtype: 'BF16', shape, data_offsets: [at, end] };
    at = end;
  }
  const json = Buffer.from(JSON.stringify(header));
  const head = Buffer.alloc(8 + Math.ceil(json.length / 8) * 8, ' ');
  head.writeBigUInt64LE(BigInt(head.length - 8));
  json.copy(head, 8);
  const fd = openSync(file, 'w');
  writeSync(fd, head, 0, head.length, 0);
  let seed = 1;
  for (const [name, shape] of shapes) {
    const count = Math.min(
      WRITTEN,
      shape.reduce((a, b) => a * b),
    );
    const values = new Uint16Array(count);
    for (let i = 0; i < count; i++) {
      // A seeded value that drifts, by xorshift.
      seed ^= seed << 13;
      seed ^= seed >>> 17;
      seed ^= seed << 5;
      values[i] = bf16(
        ((seed & 0xffff) / 65_536 - 0.5) * 0.1 * (1 + 0.05 * snapshot * ((seed >>> 16) / 65_536)),
      );
    }
    const bytes = Buffer.from(values.buffer);
    writeSync(fd, bytes, 0, bytes.length, head.length + header[name].data_offsets[0]);
  }
  ftruncateSync(fd, head.length + at);
  closeSync(fd);
}

function measure(title, ...command) {
  const begin = performance.now();
  const { status, stderr } = spawnSync(
    '/usr/bin/time',
    ['-f', 'MAXRSS %M', process.execPath, cli, ...command],
    {
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    },
  );
  const seconds = (performance.now() - begin) / 1000;
  const memory = Number(/MAXRSS (\d+)/.exec(stderr)?.[1] ?? Number.NaN) / 1000;
  console.log(
    `${title.padEnd(34)} ${seconds.toFixed(1).padStart(8)} s ${memory.toFixed(0).padStart(7)} MB${status ? `  FAILED: ${stderr.slice(-300)}` : ''}`,
  );
}

rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
for (let i = 0; i < snapshots; i++) {
  const own = join(folder, 'series', `checkpoint-${1000 * (i + 1)}`);
  mkdirSync(own, { recursive: true });
  writeSnapshot(join(own, 'model.safetensors'), i);
}
const run = join(folder, 'run');
const version = execFileSync(process.execPath, [cli, '--version'], { encoding: 'utf8' }).trim();
console.log(
  `${(parameters / 1e9).toFixed(2)} billion parameters × ${snapshots}; epochscope ${version}, Node ${process.version}, ${cpus().length} × ${cpus()[0].model.trim()}, ${(totalmem() / 1e9).toFixed(0)} GB; load ${loadavg()[0].toFixed(1)} at the start`,
);
measure('info FOLDER', 'info', join(folder, 'series'));
measure('import --link', 'import', join(folder, 'series'), '--link', '-o', run);
measure('info RUN', 'info', run);
measure('info RUN --check', 'info', run, '--check');
measure('change --tracks none', 'change', run, '--tracks', 'none');
measure('change and tracks of all', 'change', run);
if (args.includes('--copy')) {
  for (let i = 2; i < snapshots; i++)
    rmSync(join(folder, 'series', `checkpoint-${1000 * (i + 1)}`), { recursive: true });
  measure('import of two, copied', 'import', join(folder, 'series'), '-o', join(folder, 'copied'));
}
console.log(`load ${loadavg()[0].toFixed(1)} at the end`);
rmSync(folder, { recursive: true, force: true });
