import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { blocksRunBy, root } from './blocks.js';
import { furnish } from './harness.js';

// Sessions word by word: each block that begins with "$ epochscope", and what stands below each command is what it prints; then the
// blocks of a shell, JavaScript and Python that go with them, each a program of its own. tests/blocks.ts says which test runs the others.

const blocks = blocksRunBy('guides-commands.slow.test.ts');
/** Seconds differ from one time to the next, and what was left out is not looked for. */
const plain = (line: string) =>
  line
    .replaceAll(/ \d+(?:\.\d+)?(?=$| {2,}(?:\d+ blocks|no clear))/g, ' #')
    .replaceAll(/[\d.]+ images\/s/g, '# images/s')
    .replaceAll(/\s+/g, ' ')
    .trim();

const commandsOf = (document: string) =>
  blocks
    .filter((block) => block.document === document && block.kind === '')
    .flatMap(({ text }) =>
      text
        .replaceAll(/\n\$ echo \$\?\n/g, '\n')
        .split(/^\$ /m)
        .slice(1),
    )
    .map((text) => {
      const [command, ...lines] = text.trimEnd().split('\n');
      // Below `echo $?`.
      const status = /^\d$/.test(lines.at(-1) ?? '') ? Number(lines.pop()) : 0;
      return {
        command: command!.replace(/\s+#.*$/, ''),
        lines: lines.filter((line) => line.trim() && line.trim() !== '…'),
        status,
      };
    });

const python = [process.env.PYTHON, 'python3', '/usr/bin/python3'].find(
  (path) => path && spawnSync(path, ['-c', 'import numpy']).status === 0,
);
/** How a block of a language is run; those of JavaScript marked "run" are those of tests/guides.test.ts. */
const PROGRAMS: Record<string, { file: string; run: string | undefined }> = {
  sh: { file: 'block.sh', run: 'sh' },
  js: { file: 'block.mjs', run: process.execPath },
  python: { file: 'block.py', run: python },
};
const programsOf = (document: string) =>
  blocks
    .filter((block) => block.document === document && block.kind !== '')
    .map(({ kind, text }) => ({ language: kind, text, ...PROGRAMS[kind]! }));

/** Trainings of other guides, by their command: the same run. */
const trained = new Map<string, string>();
const kept = mkdtempSync(join(tmpdir(), 'epochscope-guides-'));
afterAll(() => rmSync(kept, { recursive: true, force: true }));

describe.each([...new Set(blocks.map((block) => block.document))])('%s', (document) => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'epochscope-session-'));
    for (const name of ['iris.npy', 'iris_labels.npy'])
      cpSync(join(root, 'tests', 'goldens', name), join(folder, name));
    furnish(folder);
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const started = (run: string, args: string[]) =>
    spawnSync(run, args, {
      cwd: folder,
      encoding: 'utf8',
      env: {
        ...process.env,
        PATH: `${join(folder, 'bin')}:${process.env.PATH}`,
        PYTHONPATH: join(root, 'integrations', 'python', 'src'),
        COLUMNS: '200',
      },
      timeout: 580_000,
    });

  it.each(commandsOf(document))(
    '$command',
    ({ command, lines, status: expected }) => {
      const made = /^epochscope train .*-o (\w+)$/.exec(command)?.[1];
      if (made && trained.has(command)) {
        cpSync(trained.get(command)!, join(folder, made), { recursive: true });
        return;
      }
      const { status, stdout, stderr } = started('sh', ['-c', command]);
      expect({ status, stderr: status === expected ? '' : stderr }).toEqual({ status: expected, stderr: '' });
      // People see what is printed and what is said beside it.
      const printed = `${stdout}\n${stderr}`.split('\n').map(plain);
      for (const line of lines) expect(printed).toContain(plain(line));
      if (made) {
        trained.set(command, join(kept, String(trained.size)));
        cpSync(join(folder, made), trained.get(command)!, { recursive: true });
      }
    },
    600_000,
  );

  const programs = programsOf(document);
  it.skipIf(!programs.length)('its programs run', { timeout: 600_000 }, () => {
    for (const { language, text, file, run } of programs) {
      if (!run) {
        console.warn(`${document}: no python3 with numpy here; its block is not run`);
        continue;
      }
      writeFileSync(join(folder, file), text);
      const { status, stderr } = started(run, [file]);
      expect({ language, status, stderr: status === 0 ? '' : stderr }).toEqual({
        language,
        status: 0,
        stderr: '',
      });
    }
  });
});
