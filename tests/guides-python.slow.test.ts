import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { main } from 'epochscope/cli';
import { describe, expect, it } from 'vitest';
import { blocksRunBy, root } from './blocks.js';

// The guides run as they stand: their Python blocks, joined, as one script, then their commands. Where the framework is not
// installed (set PYTHON to one that has it), the Python blocks are only parsed and the commands' options checked.

const pythons = [process.env.PYTHON, 'python3', '/usr/bin/python3'].filter((path): path is string =>
  Boolean(path),
);
const having = (module: string) =>
  pythons.find((path) => spawnSync(path, ['-c', `import ${module}`]).status === 0);
const blocks = (document: string, language: string) =>
  blocksRunBy('guides-python.slow.test.ts')
    .filter((block) => block.document === document && block.kind === language)
    .map(({ text }) => text);
/** Words of a command line, with double quotes. */
const words = (line: string) =>
  [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain!);

async function run(line: string): Promise<{ code: number; err: string }> {
  let err = '';
  const code = await main(words(line).slice(1), {
    stdout: { write: () => true },
    stderr: { write: (text) => (err += text) },
    env: {},
    signal: new AbortController().signal,
  });
  return { code, err };
}

describe.each([
  ['pytorch', 'torch, onnx'],
  ['keras', 'keras, h5py'],
  ['jax', 'jax'],
])('docs/guides/%s.md', (guide, modules) => {
  it('its blocks run', async () => {
    const document = `docs/guides/${guide}.md`;
    const [scripts, shell] = [blocks(document, 'python'), blocks(document, 'sh')];
    expect(scripts.length).toBeGreaterThan(1);
    const lines = shell.flatMap((block) => block.trim().split('\n'));
    expect(lines.every((line) => line.startsWith('epochscope '))).toBe(true);
    const python = having(modules);
    if (!python) {
      console.warn(`docs/guides/${guide}.md: no python3 with ${modules} here; its blocks are not run`);
      for (const line of lines)
        expect((await run(`${line.split(' ').slice(0, 2).join(' ')} --help`)).code, line).toBe(0);
      return;
    }
    const folder = await mkdtemp(join(tmpdir(), `epochscope-${guide}-`));
    const before = process.cwd();
    try {
      for (const name of ['checkpoints', 'weights', 'models', 'acts/epoch_1'])
        await mkdir(join(folder, name), { recursive: true });
      const paths = `import sys; sys.path.insert(0, ${JSON.stringify(join(root, 'integrations', 'python', 'src'))})\n`;
      // What reads results comes after the commands.
      const [first, last] = [
        scripts.filter((s) => !s.includes('read_result')),
        scripts.filter((s) => s.includes('read_result')),
      ];
      const acts =
        'import numpy as np; np.save("acts/epoch_1/fc.npy", np.random.RandomState(0).normal(size=(300, 4)))\n';
      await writeFile(join(folder, 'train.py'), paths + first.join('\n') + acts);
      const env = { ...process.env, KERAS_BACKEND: process.env.KERAS_BACKEND ?? 'jax' };
      const trained = spawnSync(python, ['train.py'], { cwd: folder, encoding: 'utf8', env });
      expect(trained.status, trained.stderr).toBe(0);
      process.chdir(folder);
      for (const line of lines) {
        const { code, err } = await run(line);
        expect(code, `${line}\n${err}`).toBe(0);
      }
      await writeFile(join(folder, 'read.py'), paths + last.join('\n'));
      const read = spawnSync(python, ['read.py'], { cwd: folder, encoding: 'utf8' });
      expect(read.status, read.stderr).toBe(0);
      if (last.length) expect(read.stdout).toMatch(/^log_softmax 3 \[/);
    } finally {
      process.chdir(before);
      await rm(folder, { recursive: true, force: true });
    }
  });
});
