import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { blocksRunBy, root } from './blocks.js';

// Every block "```js run" of a guide is a program of its own and prints, line by line, what the next "It prints" says.

const here = fileURLToPath(new URL('.', import.meta.url));

const examples = blocksRunBy('guides.test.ts').map(({ document, line, text: program }) => {
  const after = readFileSync(join(root, document), 'utf8').split(program)[1]!;
  const said = /^```\n+[^#]*?^It prints (`[^`]*`(?: and `[^`]*`)*)\./ms.exec(after)?.[1];
  return {
    name: `${document}:${line}: ${said ?? 'says nothing of what it prints'}`,
    program,
    lines: [...(said ?? '').matchAll(/`([^`]*)`/g)].map((match) => match[1]!),
  };
});

describe('the examples of the guides', () => {
  it('are found', () => {
    expect(examples.length).toBeGreaterThan(3);
  });

  it.each(examples)('$name', ({ program, lines }) => {
    expect(lines.length).toBeGreaterThan(0);
    const run = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
      cwd: here,
      encoding: 'utf8',
      timeout: 30_000,
    });
    expect(run.stderr).toBe('');
    expect(run.stdout.trimEnd().split('\n')).toEqual(lines);
  });
});
