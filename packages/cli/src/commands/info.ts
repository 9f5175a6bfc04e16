import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { listResults, openRun } from '@epochscope/analysis/node';
import { printable } from '@epochscope/core-wasm';
import type { Command } from 'commander';
import { describeFolder } from '../import-run.js';
import type { Output } from '../output.js';
import { table } from './_shared.js';

export function define(command: Command): Command {
  return command
    .description('Say what a run holds, or what a folder of checkpoints would give')
    .argument('<run>', 'run directory, or a folder that other tools wrote (see "epochscope import")')
    .addHelpText('after', '\nExample:\n  epochscope info my-run');
}

export async function run([directory]: string[], _: unknown, output: Output): Promise<void> {
  const own = await stat(join(directory!, 'run.json')).catch(() => null);
  const folder = own ? null : await stat(directory!).catch(() => null);
  if (folder?.isDirectory()) return describeFolder(directory!, output);
  const opened = await openRun(directory!);
  const { manifest, warnings } = opened;
  for (const warning of warnings) output.warn(warning);
  const results = await listResults(directory!);
  const metrics = [...new Set(manifest.snapshots.flatMap((s) => Object.keys(s.metrics)))];
  const shown =
    manifest.snapshots.length > 40
      ? [...manifest.snapshots.slice(0, 20), ...manifest.snapshots.slice(-20)]
      : manifest.snapshots;
  const text = [
    printable(`net      ${manifest.model?.name ?? 'unknown'}`),
    `input    ${manifest.inputShape?.join('×') ?? 'unknown'}`,
    printable(
      `samples  ${manifest.samples ? `${manifest.samples.count}, ${manifest.samples.source}` : 'none'}`,
    ),
    printable(`classes  ${manifest.classes?.join(', ') ?? 'none'}`),
    '',
    table([
      ['layer', 'kind', 'shape', 'parameters'],
      ...manifest.layers.map((l) => [l.name, l.kind, l.shape.join('×'), l.parameters.join(' ')]),
    ]),
    '',
    table([
      ['snapshot', 'epoch', 'step', ...metrics],
      ...shown.map((s) => [
        s.id,
        s.epoch ?? '–',
        s.step ?? '–',
        ...metrics.map((m) => s.metrics[m]?.toFixed(4) ?? '–'),
      ]),
    ]),
    ...(shown.length < manifest.snapshots.length
      ? [`(first and last 20 of ${manifest.snapshots.length})`]
      : []),
    '',
    results.length
      ? `results  ${results.map(({ method, name }) => (name === 'default' ? method : `${method}/${name}`)).join(', ')}`
      : 'results  none',
  ].join('\n');
  output.result(text, { manifest, warnings, results: results.map(({ method, name }) => ({ method, name })) });
}
