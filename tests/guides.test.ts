import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

// Every block "```js run" of a guide is a program of its own and prints, line by line, what the next "It prints" says.

const here = dirname(fileURLToPath(import.meta.url));
const folder = join(here, '..', 'docs', 'guides');

const examples = readdirSync(folder)
  .filter((name) => name.endsWith('.md'))
  .flatMap((name) => {
    const text = readFileSync(join(folder, name), 'utf8');
    return [...text.matchAll(/```js run\n(.*?)```\n+([^#]*)/gs)].map(([, program, after]) => {
      const said = /^It prints (`[^`]*`(?: and `[^`]*`)*)\./m.exec(after!)?.[1];
      return {
        name: `${name}: ${said ?? 'says nothing of what it prints'}`,
        program: program!,
        lines: [...(said ?? '').matchAll(/`([^`]*)`/g)].map((match) => match[1]!),
      };
    });
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
