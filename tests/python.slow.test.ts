// The Python recorder, by its own tests and by our reader. Skipped, saying so, where there is no python3 with NumPy.
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openRun, readResult } from '@epochscope/analysis';
import { encodeBinary } from '@epochscope/analysis/results';
import { main } from 'epochscope/cli';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');
const here = join(root, 'integrations', 'python');
// One with PyTorch is preferred: then its hook is tried too.
const python = [process.env.PYTHON, 'python3', '/usr/bin/python3']
  .filter((path): path is string => Boolean(path))
  .map((path) => ({
    path,
    numpy: spawnSync(path, ['-c', 'import numpy']).status === 0,
    torch: spawnSync(path, ['-c', 'import torch']).status === 0,
  }))
  .filter(({ numpy }) => numpy)
  .sort((a, b) => Number(b.torch) - Number(a.torch))[0];
if (!python) console.warn('tests/python.slow.test.ts: no python3 with NumPy here; the recorder is not tried');

describe.skipIf(!python)('the Python recorder', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'epochscope-python-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
  const runPython = (...args: string[]) => spawnSync(python!.path, args, { encoding: 'utf8', cwd: folder });

  it('passes its own tests, and what it wrote opens, is analysed and is read back by NumPy', async () => {
    const made = runPython(join(here, 'tests', 'test_recorder.py'), 'recorded');
    expect(made.stderr).toMatch(/\nOK/);
    expect(runPython(join(here, 'tests', 'test_read.py')).stderr).toMatch(/\nOK/);
    const command = `${process.execPath} ${join(root, 'packages', 'cli', 'dist', 'main.js')}`;
    expect(runPython(join(here, 'tests', 'test_rules.py'), command).stderr).toMatch(/\nOK$/m);
    const run = await openRun(join(folder, 'recorded'));
    expect(run.warnings).toEqual([]);
    expect(run.manifest.snapshots.map(({ id, metrics }) => [id, metrics])).toEqual([
      ['init', { loss: 1.5 }],
      ['epoch-0001', { loss: 0.75 }],
      ['epoch-0012', { loss: 1.5 / 13 }],
    ]);
    expect(run.manifest.samples).toEqual({ count: 60, source: 'a test' });
    expect((await run.weights('last')).get('fc1.kernel')!.shape).toEqual([16, 3]);
    expect([...(await run.labels())!]).toEqual(Array.from({ length: 60 }, (_, i) => Math.floor(i / 20)));

    const exit = await main(['tendency', join(folder, 'recorded'), '--layers', 'h,log_softmax'], {
      stdout: { write: () => true },
      stderr: { write: () => true },
      env: {},
      signal: new AbortController().signal,
    });
    expect(exit).toBe(0);
    await writeFile(
      join(folder, 'read.py'),
      [
        `import sys; sys.path.insert(0, ${JSON.stringify(join(here, 'src'))})`,
        'from epochscope import read_result',
        'result = read_result("recorded/results/tendency/default")',
        'panel = result["panels"][-1]',
        'assert sorted(panel["order"]) == list(range(60)), panel["order"]',
        'print(panel["snapshot"]["id"], panel["layer"], panel["blocks"]["count"], len(panel["weights"]))',
      ].join('\n'),
    );
    const read = runPython('read.py');
    expect(read.stderr).toBe('');
    expect(read.stdout.trim()).toBe('epoch-0012 log_softmax 3 59');

    // The same as one file, and one that was cut.
    const bytes = encodeBinary(await readResult(join(folder, 'recorded', 'results', 'tendency', 'default')));
    await writeFile(join(folder, 'one.epochscope'), bytes);
    await writeFile(join(folder, 'cut.epochscope'), bytes.subarray(0, bytes.length - 100));
    await writeFile(
      join(folder, 'one.py'),
      [
        `import sys; sys.path.insert(0, ${JSON.stringify(join(here, 'src'))})`,
        'from epochscope import read_result',
        'one, many = read_result("one.epochscope"), read_result("recorded/results/tendency/default")',
        'for a, b in zip(one["panels"], many["panels"], strict=True):',
        '    for name in ("order", "weights", "parent"):',
        '        assert a[name].dtype == b[name].dtype and (a[name] == b[name]).all(), name',
        'try: read_result("cut.epochscope")',
        'except ValueError as error: print(error)',
      ].join('\n'),
    );
    const same = runPython('one.py');
    expect(same.stderr).toBe('');
    expect(same.stdout).toContain('it was cut');
  }, 60_000);
});
