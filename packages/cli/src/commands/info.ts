import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { listResults, openRun, type Run } from '@epochscope/analysis';
import { checkSeries, type SeriesCheck } from '@epochscope/analysis/methods';
import { printable } from '@epochscope/core-wasm';
import type { Command } from 'commander';
import { describeFolder } from '../import-run.js';
import type { Output } from '../output.js';
import { table } from './_shared.js';

export function define(command: Command): Command {
  return command
    .argument('<run>', 'run directory, or a folder that other tools wrote (see "epochscope import")')
    .option(
      '--check',
      'is the series what it says? names copies, snapshots out of line, weights that are no numbers',
    )
    .addHelpText('after', '\nExamples:\n  epochscope info my-run\n  epochscope info my-run --check');
}

export async function run(
  [directory]: string[],
  { check }: { check?: boolean },
  output: Output,
): Promise<void> {
  const own = await stat(join(directory!, 'run.json')).catch(() => null);
  const folder = own ? null : await stat(directory!).catch(() => null);
  if (folder?.isDirectory()) return describeFolder(directory!, output);
  const opened = await openRun(directory!);
  const { manifest, warnings } = opened;
  for (const warning of warnings) output.warn(warning);
  const checked = check ? await checkRun(opened, output) : null;
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
    ...(checked ? ['', checkText(checked, manifest.snapshots.length)] : []),
  ].join('\n');
  output.result(text, {
    manifest,
    warnings,
    results: results.map(({ method, name }) => ({ method, name })),
    ...(checked ? { check: checked } : {}),
  });
}

/** Looks at the floating-point tensors that the first snapshot has. */
async function checkRun(run: Run, output: Output): Promise<SeriesCheck> {
  const ids = run.manifest.snapshots.map(({ id }) => id);
  const { tensors } = ids.length ? await run.weightPlaces(ids[0]!) : { tensors: new Map<string, never>() };
  const progress = output.progress('Comparing snapshots');
  return checkSeries(
    ids,
    [...tensors.values()]
      .filter(({ dtype }) => dtype.includes('float'))
      .map(({ name, shape }) => ({ name, size: shape.reduce((a: number, b: number) => a * b, 1) })),
    async (name, indices) => (await run.series(name, { indices, signal: output.signal })).data,
    { signal: output.signal, onProgress: (done, total) => progress.update(done, total) },
  ).finally(() => progress.stop());
}

function checkText({ findings, tensors, frozen, sampled }: SeriesCheck, snapshots: number): string {
  const looked = `${sampled} weights of ${tensors + frozen} tensors in ${snapshots} snapshots${frozen ? `; ${frozen} tensors never change` : ''}`;
  return findings.length
    ? [
        `check    ${looked}:`,
        ...findings.map(({ grade, text }) => `  ${grade === 'note' ? 'note: ' : ''}${printable(text)}`),
      ].join('\n')
    : `check    nothing odd in ${looked}${snapshots < 3 ? ' (order can be checked from three on)' : ''}`;
}
