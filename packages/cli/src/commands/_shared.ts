import type { SnapshotPolicy } from '@epochscope/analysis/models';
import { printable } from '@epochscope/core-wasm';
import { type Command, InvalidArgumentError } from 'commander';

/** Options that commands on a run have in common. */
export interface CommonOptions {
  /** Of the result. */
  name: string;
  /** Folder to write to instead of the run. */
  output?: string;
  json?: boolean;
  debug?: boolean;
}

/** The options that every command takes. */
export const commonOptions = (command: Command): Command =>
  command
    .option('--json', 'results and errors as JSON')
    .option('--debug', 'show stack traces')
    .option('--threads <n>', 'workers; default: the processors this process may use', whole(1, 64))
    .option(
      '--memory <size>',
      'what the work, and unpacking one file, may take, such as 4GB; default: what the process may use',
      size,
    );

// Parsers of option values. A throw becomes a usage error: one line, exit 2.

export function whole(least: number, most = Number.MAX_SAFE_INTEGER) {
  return (text: string): number => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < least || value > most)
      throw new InvalidArgumentError(
        `expected a whole number ${most < Number.MAX_SAFE_INTEGER ? `${least} … ${most}` : `≥ ${least}`}.`,
      );
    return value;
  };
}

/** "4GB", "500 MB" or a number of bytes → bytes. */
export function size(text: string): number {
  const [, value, unit] = /^(\d+(?:\.\d+)?)\s*([kMGT]?)i?B?$/i.exec(text.trim()) ?? [];
  const bytes = Number(value) * 1000 ** ' kmgt'.indexOf((unit || ' ').toLowerCase());
  if (!(bytes > 0)) throw new InvalidArgumentError('expected a size such as 4GB.');
  return bytes;
}

export function number(least: number) {
  return (text: string): number => {
    const value = Number(text);
    if (text.trim() === '' || !Number.isFinite(value) || value < least)
      throw new InvalidArgumentError(`expected a number ≥ ${least}.`);
    return value;
  };
}

/** A share, 0 … 1. */
export function rate(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value <= 1))
    throw new InvalidArgumentError('expected a number 0 … 1.');
  return value;
}

export function names(text: string): string[] {
  const list = text.split(',').map((item) => item.trim());
  if (list.some((item) => item === '')) throw new InvalidArgumentError('expected names separated by commas.');
  return list;
}

export function oneOf<T extends string>(choices: readonly T[]) {
  return (text: string): T => {
    if (!choices.includes(text as T))
      throw new InvalidArgumentError(`expected one of ${choices.join(', ')}.`);
    return text as T;
  };
}

/** "1,2,10", "init,1,10", "every:50", "every:100steps", "every:2epochs", "log:20". `epochs`: passes of the training. */
export function snapshotPolicy(text: string, epochs: number): SnapshotPolicy {
  const passes = /^every:(\d+)\s*epochs?$/.exec(text);
  if (passes) {
    const every = Number(passes[1]);
    if (every < 1) throw new InvalidArgumentError('expected a whole number > 0 after the colon.');
    const count = Math.floor(epochs / every);
    return { init: true, epochs: Array.from({ length: count }, (_, i) => (i + 1) * every) };
  }
  const match = /^(?:(every):(\d+)\s*(?:steps?)?|(log):(\d+))$/.exec(text);
  if (match) {
    const count = Number(match[2] ?? match[4]);
    if (count < 1) throw new InvalidArgumentError('expected a whole number > 0 after the colon.');
    return { init: true, ...(match[1] ? { everySteps: count } : { logSpaced: count }) };
  }
  const parts = names(text);
  if (!parts.every((part) => part === 'init' || /^\d+$/.test(part)))
    throw new InvalidArgumentError(
      'expected epochs ("init,1,2,10"), "every:1epoch", "every:100steps" or "log:COUNT".',
    );
  return { init: parts.includes('init'), epochs: parts.filter((part) => part !== 'init').map(Number) };
}

/** Longer cells lose their middle: a name may have thousands of characters. */
const MAX_CELL = 120;

/** Indentation-free table for the terminal; a cell is one printable line. */
export function table(cells: (string | number)[][]): string {
  const rows = cells.map((row) => row.map((cell) => printable(String(cell), { most: MAX_CELL })));
  const widths = rows[0]!.map((_, c) => Math.max(...rows.map((row) => (row[c] ?? '').length)));
  return rows
    .map((row) =>
      row
        .map((cell, c) => (c === 0 ? cell.padEnd(widths[c]!) : cell.padStart(widths[c]!)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
