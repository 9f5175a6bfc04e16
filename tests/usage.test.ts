import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createRun } from '@epochscope/analysis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cli } from './harness.js';

// Options that are missing, contradict each other or do not go with the target exit 2, before anything is written. What the
// target holds is bad input and exits 1: tests/cli.test.ts.

const folder = mkdtempSync(join(tmpdir(), 'epochscope-usage-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const file = fileURLToPath(new URL('goldens/iris.npy', import.meta.url));
const run = join(folder, 'run');
const elsewhere = join(folder, 'elsewhere');

beforeAll(async () => {
  const writer = await createRun(run, {
    model: null,
    layers: [{ name: 'R1', kind: 'relu', shape: [2], parameters: [] }],
    classes: null,
    inputShape: null,
    training: null,
  });
  await writer.writeSnapshot(
    { id: 'epoch-0001', epoch: 1, step: null, metrics: {} },
    new Map(),
    new Map([
      ['R1', { data: Float32Array.from({ length: 20 }, (_, i) => i), shape: [10, 2], dtype: 'float32' }],
    ]),
  );
  await writer.finish();
});

describe('wrong usage exits 2', () => {
  it.each([
    // Missing.
    ['watch RUN', 'expected at least one --rule'],
    ['path RUN', "required option '--between <ends>' not specified"],
    ['path FILE --between 1', 'expected two ends, got 1'],
    ['path FILE --between 1,2,3', 'expected two ends, got 3'],
    ['path FILE --between a,b', 'expected two of SAMPLE or block:N'],
    ['difference FILE', 'is one matrix: name a second one'],
    ['locate RUN', "missing required argument 'file'"],
    ['reproduce satoh', 'this experiment needs mnist: give its folder as --data DIR'],
    ['batch plan PLACE', 'after -- expected a command'],
    ['batch plan PLACE -- reproduce', 'expected a paper after it'],
    // One excludes the other.
    ['export RUN tendency --tensorboard', '--tensorboard writes all results of a run; leave out tendency'],
    ['difference FILE FILE --map', 'a second run or file: not with --map'],
    ['difference RUN --map --to 1', '--to: not with --map'],
    ['difference RUN --map --labels FILE', '--labels: not with --map'],
    ['difference FILE FILE --layers R4', '--layers: only with --map'],
    ['difference RUN --snapshots 1', '--snapshots: only with --map'],
    ['train mlp --model lenet5', '--model lenet5: the net is named already, mlp'],
    ['train --activation relu', '--activation: only for mlp; lenet5 has its own'],
    ['train --hidden 10', '--hidden: only for mlp and dbn, not lenet5'],
    ['train mlp --pretrain 3', '--pretrain: only for dbn, not mlp'],
    ['train --download PLACE', '--download: goes with --data mnist or cifar10, got --data bundled'],
    ['reproduce satoh --data RUN --download PLACE', '--download: goes with --data download'],
    ['reproduce satoh --quick --cifar RUN', '--cifar: only for mototake, not satoh'],
    ['tendency FILE --mode vat --vat-side 0', '--mode vat draws the stored VAT picture'],
    ['tendency FILE --figure marks', '--figure marks shows right and wrong predictions'],
    ['tendency RUN --figure marks --marks top:3', 'give --marks wrong,correct, or leave --marks out'],
    ['prune RUN -o RUN', 'the pruned run needs a folder of its own'],
    ['info RUN -o PLACE', '--output: only with --check'],
    ['batch plan PLACE -- tendency FILE --metric gower', '--metric gower needs all rows at once'],
    // Not for a target of this kind.
    ['difference FILE RUN', 'name two matrices or two runs'],
    ['difference FILE FILE --layer R4', '--layer: only for runs'],
    ['difference FILE FILE --to 3', '--to: only for runs'],
    ['difference FILE --map', '--map: only for runs'],
    ['difference RUN --labels FILE', '--labels: only for files'],
    ['difference RUN --columns 1', '--columns: only for files'],
    ['path RUN --between 0,1 --labels FILE', '--labels: only for a file'],
    ['path FILE --between 0,1 --layer R4', '--layer: only for runs'],
    ['path FILE --between 0,1 --snapshot 3', '--snapshot: only for runs'],
    ['tendency RUN --labels FILE', '--labels: only for a file of one matrix'],
    ['tendency RUN --metric gower', '--metric gower: only for a file of one matrix'],
    ['geometry RUN --weights FILE', '--weights: only for alexnet'],
    ['geometry alexnet --snapshots 1', '--snapshots: only for a run'],
    ['serve RUN --frame wiki', 'frame: expected an origin such as https://wiki.example'],
  ])('%s', async (words, message) => {
    const places: Record<string, string> = { RUN: run, FILE: file, PLACE: elsewhere };
    const argv = words.split(' ').map((word) => places[word] ?? word);
    const { code, out, err } = await cli(...argv);
    expect(err).toContain(message);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).not.toContain('    at ');
    expect(readdirSync(folder)).toEqual(['run']);
    const at = argv.indexOf('--');
    const json = await cli(...argv.toSpliced(at < 0 ? argv.length : at, 0, '--json'));
    expect(json.code).toBe(2);
    expect(JSON.parse(json.out).error).toMatchObject({
      code: 'usage',
      message: expect.stringContaining(message),
    });
  });
});
