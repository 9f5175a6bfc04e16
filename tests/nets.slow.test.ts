import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openRun } from '@epochscope/analysis';
import { bytesSource, readNpz } from '@epochscope/analysis/formats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cli } from './harness.js';

// The table of docs/guides/nets.md: series of checkpoints by their own writers (tests/fixtures/write_series.py), every method on each.
const fixtures = fileURLToPath(new URL('fixtures/series/', import.meta.url));
const guide = readFileSync(new URL('../docs/guides/nets.md', import.meta.url), 'utf8');
const METHODS = ['capture', 'tendency', 'modules', 'activity', 'geometry', 'prune'] as const;

/** What each method is asked of each net, as the guide says. */
const TOKENS = ['--tokens', 'mean'];
const NETS: Record<string, Partial<Record<(typeof METHODS)[number], string[]>>> = {
  vit: {
    tendency: ['--layers', 'vit.layernorm', '--tokens', 'cls'],
    modules: TOKENS,
    prune: ['--units', 'head'],
  },
  bert: { modules: TOKENS, prune: ['--units', 'head'] },
  gpt2: { tendency: TOKENS, modules: ['--tokens', 'last'], prune: ['--units', 'unit'] },
  pythia: { tendency: TOKENS, modules: ['--units', 'head'], prune: ['--units', 'head'] },
  llama: { tendency: ['--tokens', 'all'], modules: ['--tokens', 'all'], prune: ['--units', 'unit'] },
  convnext: { prune: ['--layer', 'convnext.encoder.stages.0.layers.0.dwconv'] },
  unet: { prune: ['--layer', 'down1.0'] },
  window: { prune: ['--units', 'unit'] },
  lstm: { prune: ['--units', 'unit'] },
  gru: { prune: ['--units', 'unit'] },
  'mobilenet-v3': { prune: ['--layer', 'conv_stem'] },
  efficientnet: { prune: ['--layer', 'conv_stem'] },
};

let place: string;
beforeAll(() => {
  place = mkdtempSync(join(tmpdir(), 'nets-'));
});
afterAll(() => rmSync(place, { recursive: true, force: true }));

const product = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

/** Rows as log-probabilities, which is how an imported classifier ends. */
function logSoftmax(values: Float64Array, width: number): Float64Array {
  return values.map((value, i) => {
    const row = values.subarray(i - (i % width), i - (i % width) + width);
    const most = row.reduce((a, b) => Math.max(a, b));
    return value - most - Math.log(row.reduce((sum, one) => sum + Math.exp(one - most), 0));
  });
}

/** n samples [channels, height, width] with channels last. */
function channelsLast(values: Float64Array, [n, c, h, w]: readonly number[]): Float64Array {
  const out = new Float64Array(values.length);
  let to = 0;
  for (let s = 0; s < n!; s++)
    for (let p = 0; p < h! * w!; p++)
      for (let k = 0; k < c!; k++) out[to++] = values[(s * c! + k) * h! * w! + p]!;
  return out;
}

describe('nets and methods, each by its own writer', () => {
  it.each(Object.keys(NETS))('%s: every cell of the table', async (name) => {
    const own = NETS[name]!;
    const folder = join(fixtures, name);
    const run = join(place, name);
    const [x, y] = ['x.npy', 'y.npy'].map((file) => join(folder, file));
    const imported = await cli(
      ...['import', folder, '--model', join(folder, 'net.onnx'), '--inputs', x!],
      ...['--labels', y!, '-o', run],
    );
    expect(imported.code, imported.err).toBe(0);
    expect(imported.out).toContain('with its net');
    const cells: Record<string, string> = {};
    for (const method of METHODS) {
      if (method === 'capture') continue;
      const extra = {
        tendency: ['--stability', '0'],
        modules: ['--samples', '24', '--sweep', 'none', '--max-units', '200'],
        activity: [],
        geometry: ['--inputs', '1', '--k', '3', '--snapshots', 'last'],
        prune: ['--rounds', '1', '--overwrite', '-o', `${run}-pruned`],
      }[method];
      const answer = await cli(method, run, ...extra, ...(own[method] ?? []), '--json');
      expect(answer.code, `${name} ${method}: ${answer.err}`).toBe(0);
      const command = (own[method] ?? []).join(' ');
      cells[method] = command ? `\`${command}\`` : 'yes';
    }
    // Captured by the methods above: the outputs of every checkpoint against the writer's framework, in float64.
    const opened = await openRun(run);
    const last = opened.manifest.layers.at(-1)!;
    const file = join(folder, 'expected.npz');
    const expected = [...(await readNpz(bytesSource(file, new Uint8Array(readFileSync(file))))).values()];
    let worst = 0;
    for (const [i, { id }] of opened.manifest.snapshots.entries()) {
      const { data, shape } = expected[i]!;
      let want: Float64Array = Float64Array.from(data as Float32Array, Number);
      if (shape.length === 4) want = channelsLast(want, shape);
      if (last.kind === 'log-softmax') want = logSoftmax(want, shape.at(-1)!);
      const got = (await opened.outputs(id, last.name)).data;
      expect(got.length).toBe(product(shape));
      const largest = want.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      for (const [j, value] of want.entries()) worst = Math.max(worst, Math.abs(value - got[j]!) / largest);
    }
    // float32 against float64 over two blocks; seen: below 1e-6.
    expect(worst).toBeLessThan(1e-5);
    cells.capture = 'yes';
    const row = `| ${name} | ${METHODS.map((method) => cells[method]).join(' | ')} |`;
    const squeezed = guide.replace(/ +/g, ' ');
    console.log(row, worst.toExponential(1));
    expect(squeezed).toContain(row);
  });
});

describe('a decoder that learns, in twenty snapshots', () => {
  const folder = join(fixtures, 'decoder');
  const STREAM = ['model.embed_tokens', 'add_357', 'model.norm'];

  it('its residual stream at the last token is that of transformers, and ends in a block a sum', async () => {
    const run = join(place, 'decoder');
    const imported = await cli(
      ...['import', folder, '--model', join(folder, 'net.onnx'), '--inputs', join(folder, 'x.npy')],
      ...['--labels', join(folder, 'y.npy'), '-o', run],
    );
    expect(imported.code, imported.err).toBe(0);
    expect(imported.out).toContain('20 snapshots (init … step-00000200)');
    const answer = await cli(
      ...['tendency', run, '--layers', 'model.embed_tokens,add_357,add_630,model.norm', '--tokens', 'last'],
      ...['--smallest-block', '8', '--stability', '0', '--json'],
    );
    expect(answer.code, answer.err).toBe(0);
    const { panels } = JSON.parse(answer.out) as {
      panels: { snapshot: string; layer: string; blocks: number }[];
    };
    expect(panels).toHaveLength(20 * 4);
    const countAt = (id: string, layer: string) =>
      panels.find((panel) => panel.snapshot === id && panel.layer === layer)!.blocks;
    expect(countAt('init', 'add_630@last')).toBe(0);
    for (const id of ['step-00000048', 'step-00000096', 'step-00000200']) {
      expect(countAt(id, 'add_357@last'), 'after the first block').toBe(0);
      expect(countAt(id, 'add_630@last'), id).toBe(13);
      expect(countAt(id, 'model.norm@last'), id).toBe(13);
    }
    const opened = await openRun(run);
    const file = join(folder, 'expected.npz');
    const expected = await readNpz(bytesSource(file, new Uint8Array(readFileSync(file))));
    let worst = 0;
    for (const [id, step] of [
      ['init', 0],
      ['step-00000020', 20],
      ['step-00000200', 200],
    ] as const)
      for (const [i, layer] of STREAM.entries()) {
        const { data, shape } = expected.get(`${step}-stream${i}`)!;
        const got = await opened.outputs(id, layer);
        const want = Float64Array.from(data as Float32Array, Number);
        const largest = want.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
        const [rows, width] = shape as [number, number];
        for (let r = 0; r < rows; r++)
          for (let k = 0; k < width; k++) {
            // Three tokens a sample; the last one's.
            const value = got.data[(3 * r + 2) * width + k]!;
            worst = Math.max(worst, Math.abs(value - want[r * width + k]!) / largest);
          }
      }
    // float32 against float64 over two layers.
    expect(worst).toBeLessThan(1e-5);
  });

  it('MLP units and heads have modules, gates an activity', async () => {
    const run = join(place, 'decoder');
    const layers =
      'mul_219@last,mul_406@last,scaled_dot_product_attention@heads,scaled_dot_product_attention_1@heads';
    const modules = await cli('modules', run, '--layers', layers, '--sweep', 'none', '--json');
    expect(modules.code, modules.err).toBe(0);
    const { units, snapshots, transitions } = JSON.parse(modules.out);
    // 48 units and 4 heads a layer.
    expect(units).toBe(104);
    expect([snapshots.length, transitions.length]).toEqual([20, 19]);
    const activity = await cli('activity', run, '--snapshots', 'init,last', '--json');
    expect(activity.code, activity.err).toBe(0);
    expect(JSON.parse(activity.out).panels).toHaveLength(4);
    expect(activity.err).toContain('not one score for each of the 13 classes');
  });
});
