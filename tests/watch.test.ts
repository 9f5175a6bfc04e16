import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRun, readResult, type WatchResult } from '@epochscope/analysis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cli } from './harness.js';

// `watch` from outside: on a finished run, and on one that is being written.

const folder = mkdtempSync(join(tmpdir(), 'epochscope-watch-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A run of one layer of four units, of which so many are dead at each snapshot. */
async function writer(name: string) {
  const run = await createRun(join(folder, name), {
    model: null,
    layers: [{ name: 'R1', kind: 'relu', shape: [4], parameters: [] }],
    classes: null,
    inputShape: null,
    training: null,
  });
  await run.writeSamples({
    inputs: null,
    labels: Uint32Array.from({ length: 8 }, (_, i) => i % 2),
    source: 'test',
  });
  return {
    run,
    snapshot: (epoch: number, dead: number) =>
      run.writeSnapshot(
        { id: `epoch-000${epoch}`, epoch, step: null, metrics: { testLoss: 1 / epoch } },
        new Map([['w', { data: Float32Array.of(epoch), shape: [1], dtype: 'float32' }]]),
        new Map([
          [
            'R1',
            {
              data: Float32Array.from({ length: 32 }, (_, i) => (i % 4 < dead ? 0 : i * epoch)),
              shape: [8, 4],
              dtype: 'float32',
            },
          ],
        ]),
      ),
  };
}

beforeAll(async () => {
  const { run, snapshot } = await writer('done');
  for (const [i, dead] of [0, 0, 1, 3].entries()) await snapshot(i + 1, dead);
  await run.finish();
});
const done = join(folder, 'done');

describe('watch of a finished run', () => {
  it('says which rules held and when, exits 4, and leaves the result in the run', async () => {
    const { code, out } = await cli(
      'watch',
      done,
      '--rule',
      'dead units over 0.5',
      '--rule',
      'testLoss rose',
    );
    expect(out).toBe(
      `at epoch-0004 dead units of R1 is 0.75, over 0.5\nwritten to ${done}/results/watch/default\n`,
    );
    expect(code).toBe(4);
    const result = (await readResult(join(done, 'results/watch/default'))) as WatchResult;
    expect(result.rules[0]!.values.map(({ value }) => value)).toEqual([0, 0, 0.25, 0.75]);
  });

  it('exits 0 where none held', async () => {
    const { code, out } = await cli('watch', done, '--rule', 'testLoss rose', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(out).alarms).toEqual([]);
  });

  it.each([
    [['--rule', 'dead'], 2, 'expected FIGURE'],
    [[], 2, 'expected at least one --rule'],
    [['--rule', 'accuracy fell'], 1, 'recorded no accuracy; it recorded testLoss'],
    [['--rule', 'dead units of R9 over 0'], 1, 'R9'],
  ])('%j is refused in one line', async (argv, exit, text) => {
    const { code, err } = await cli('watch', done, ...argv);
    expect(code).toBe(exit);
    expect(err).toContain(text);
  });
});

describe('watch of a run that is being written', () => {
  it('says a rule while it goes on, and ends when the run is complete', async () => {
    const { run, snapshot } = await writer('live');
    await snapshot(1, 0);
    const watching = cli('watch', join(folder, 'live'), '--rule', 'dead units over 0.5', '--every', '0.1');
    await snapshot(2, 3);
    await snapshot(3, 3);
    await run.finish();
    const { code, err } = await watching;
    expect(code, err).toBe(4);
  });

  it('ends with the first rule that holds, and --once with what is there', async () => {
    const { run, snapshot } = await writer('first');
    const path = join(folder, 'first');
    expect((await cli('watch', path, '--rule', 'dead units over 0.5', '--once')).out).toContain(
      'no snapshot yet',
    );
    await snapshot(1, 0);
    const watching = cli('watch', path, '--rule', 'dead units over 0.5', '--first', '--every', '0.1');
    await snapshot(2, 4);
    const { code, err } = await watching;
    expect([code, err]).toEqual([
      4,
      expect.stringContaining('at epoch-0002 dead units of R1 is 1, over 0.5'),
    ]);
    expect((await cli('watch', path, '--rule', 'dead units over 2', '--once')).code).toBe(0);
    await run.close();
  });
});
