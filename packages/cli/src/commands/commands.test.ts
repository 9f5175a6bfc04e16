import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { COMMANDS } from './index.js';

describe('the table of commands', () => {
  it('has every file of this folder', () => {
    const files = readdirSync(fileURLToPath(new URL('.', import.meta.url)));
    const commands = files.filter((file) => /^[a-z].*\.ts$/.test(file) && !/^index\.|\.test\./.test(file));
    // index.ts is the table itself, index-run.ts the command "index".
    const names = commands.map((file) => file.replace(/(-run)?\.ts$/, ''));
    expect(Object.keys(COMMANDS).sort()).toEqual(names.sort());
  });

  it.each(Object.entries(COMMANDS))('says what %s takes, as its own help does', async (name, entry) => {
    const { define } = await entry.load();
    const usage = define(new Command(name)).usage();
    expect(`[options] ${entry.takes}`.trim()).toBe(usage);
    expect(entry.about).toMatch(/^[A-Z].{10,}[^.]$/);
  });
});
