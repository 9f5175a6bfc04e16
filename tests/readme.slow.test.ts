import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { blocksRunBy, root } from './blocks.js';
import { furnish } from './harness.js';

// The README's "Five minutes", word by word (its three commands: guides-commands.slow.test.ts), in an empty folder that sees the repository's tests/.

const text = readFileSync(join(root, 'README.md'), 'utf8');
const commands = blocksRunBy('readme.slow.test.ts')
  .flatMap((block) => block.text.trim().split('\n'))
  .map((line) => line.replace(/\s+#.*$/, ''));
const folder = mkdtempSync(join(tmpdir(), 'epochscope-readme-'));

beforeAll(() => {
  furnish(folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('README', () => {
  it('has five minutes of commands', () => expect(commands.length).toBeGreaterThan(4));

  it.each(commands)(
    '%s',
    (command) => {
      const { status, stderr, stdout } = spawnSync('sh', ['-c', command], {
        cwd: folder,
        encoding: 'utf8',
        env: { ...process.env, PATH: `${join(folder, 'bin')}:${process.env.PATH}` },
        timeout: 120_000,
      });
      expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' });
      expect(stdout.trim()).not.toBe('');
    },
    150_000,
  );

  it('leads to files that are there', () => {
    for (const [, target] of text.matchAll(/\]\((?!https?:)([^)#]+)/g))
      expect(existsSync(join(root, target!)), target).toBe(true);
  });
});
