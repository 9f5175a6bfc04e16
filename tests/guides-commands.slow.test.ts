import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { furnish } from './harness.js';

// Commands of guides word by word: each block that begins with "$ epochscope", and what stands below each command is what it prints. Of the
// other guides tests/guides.test.ts runs the programs, guides-python.slow.test.ts those of Python, notebook.slow.test.ts the notebook's,
// any-matrix.slow.test.ts the tables, nets.slow.test.ts the commands on nets. Not run: what needs another machine or minutes of training.

const root = fileURLToPath(new URL('..', import.meta.url));
const GUIDES = ['any-matrix', 'what-changed'];
/** Seconds differ from one time to the next, and what was left out is not looked for. */
const plain = (line: string) =>
  line
    .replaceAll(/ \d+(?:\.\d+)?(?=$| {2,}\d+ blocks)/g, ' #')
    .replaceAll(/\s+/g, ' ')
    .trim();

const commandsOf = (guide: string) =>
  [
    ...readFileSync(join(root, 'docs', 'guides', `${guide}.md`), 'utf8').matchAll(
      /```\n(\$ epochscope [\s\S]*?)```/g,
    ),
  ]
    .flatMap(([, block]) => block!.split(/^\$ /m).slice(1))
    .map((text) => {
      const [command, ...lines] = text.trimEnd().split('\n');
      return {
        command: command!.replace(/\s+#.*$/, ''),
        lines: lines.filter((line) => line.trim() && line.trim() !== '…'),
      };
    });

describe.each(GUIDES)('docs/guides/%s.md', (guide) => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), `epochscope-${guide}-`));
    for (const name of ['iris.npy', 'iris_labels.npy'])
      cpSync(join(root, 'tests', 'goldens', name), join(folder, name));
    furnish(folder);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each(commandsOf(guide))(
    '$command',
    ({ command, lines }) => {
      const { status, stdout, stderr } = spawnSync('sh', ['-c', command], {
        cwd: folder,
        encoding: 'utf8',
        env: { ...process.env, PATH: `${join(folder, 'bin')}:${process.env.PATH}`, COLUMNS: '200' },
        timeout: 280_000,
      });
      expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' });
      const printed = stdout.split('\n').map(plain);
      for (const line of lines) expect(printed).toContain(plain(line));
    },
    300_000,
  );
});
