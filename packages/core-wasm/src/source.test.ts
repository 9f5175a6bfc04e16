import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

// The formatter knows no AssemblyScript and leaves comments as they are: what it would hold of both is held here.
const root = fileURLToPath(new URL('..', import.meta.url));
const sources = ['assembly', 'bench', 'kernels', 'src', 'scripts'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(ts|mjs)$/.test(name) && !name.startsWith('generated'))
    .map((name) => join(folder, name)),
);
const linesOf = (file: string) => readFileSync(join(root, file), 'utf8').split('\n');
const found = (bad: (line: string) => boolean, files = sources) =>
  files.flatMap((file) =>
    linesOf(file).flatMap((line, i) => (bad(line) ? [`${file}:${i + 1}: ${line}`] : [])),
  );

describe('every source file', () => {
  it('has comment lines of at most 120 columns', () => {
    expect(sources.length).toBeGreaterThan(100);
    expect(found((line) => line.length > 120 && /^\s*(\/\/|\/?\*)/.test(line))).toEqual([]);
  });

  it('of AssemblyScript too has no tabs, no spaces at the end of a line and a semicolon after each statement', () => {
    const assembly = sources.filter((file) => /(^|\/)assembly(\/|\.ts$)/.test(file));
    expect(assembly.length).toBeGreaterThan(30);
    expect(found((line) => /\t|\s$/.test(line), assembly)).toEqual([]);
    expect(found((line) => /^\s+(\w+\.)?(store|set|memory)\w*(<\w+>)?\(.*\)$/.test(line), assembly)).toEqual(
      [],
    );
  });

  it('of AssemblyScript reads and writes records by declared names, not by bare offsets', () => {
    const bare = /\b(word|ptr|float|setWord|setFloat)\(\w+, \d/;
    expect(found((line) => bare.test(line))).toEqual([]);
  });
});
