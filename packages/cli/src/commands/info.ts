import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { importRun, listResults, memoryStore, openRun, type Run } from '@epochscope/analysis';
import type { SeriesCheckResult } from '@epochscope/analysis/results';
import { checkOfRun, describeImport } from '@epochscope/analysis/workflows';
import { printable } from '@epochscope/core-wasm';
import type { Command } from 'commander';
import { writeResultTo } from '../files.js';
import type { Output } from '../output.js';
import { checkPictures } from '../pictures/check.js';
import { type PictureOptions, writePictures } from '../pictures/index.js';
import { hubOptions, isSeriesAddress, type SeriesChoice } from '../series.js';
import { refuseGiven } from '../usage.js';
import { pictureOptions, picturesOf } from './_pictures.js';
import { table } from './_shared.js';

export function define(command: Command): Command {
  command
    .argument('<run>', 'run directory, or a folder that other tools wrote (see "epochscope import")')
    .option('--follow-links', 'read checkpoints through symbolic links that lead out of the folder')
    .option('--revisions <names>', 'of a model on a hub: which, with * for any text: "step*"')
    .option('--series <name>', 'which of several series of checkpoints')
    .option('--pattern <path>', 'how names of checkpoints count')
    .option(
      '--check',
      'is the series what it says? names copies, snapshots out of line, gaps, weights that are no numbers',
    )
    .option('-o, --output <dir>', 'check: where it is kept (default: results/check of a run; else nowhere)');
  return pictureOptions(command, 'the check as a time line').addHelpText(
    'after',
    '\nExamples:\n  epochscope info my-run\n  epochscope info my-run --check\n  epochscope info https://huggingface.co/ORG/MODEL --revisions "step*" --check',
  );
}

interface Options extends SeriesChoice, Partial<PictureOptions> {
  check?: boolean;
  output?: string;
}

export async function run([directory]: string[], options: Options, output: Output): Promise<void> {
  const { check } = options;
  if (!check) refuseGiven({ '--output': options.output }, 'only with --check, whose result it is for');
  const own = await stat(join(directory!, 'run.json')).catch(() => null);
  const folder = own ? null : await stat(directory!).catch(() => null);
  if (folder?.isDirectory() || (await isSeriesAddress(directory!, options)))
    return check ? checkFolder(directory!, options, output) : describeFolder(directory!, options, output);
  const opened = await openRun(directory!);
  const { manifest, warnings } = opened;
  for (const warning of warnings) output.warn(warning);
  const checked = check ? await checkRun(opened, output) : null;
  const kept =
    checked &&
    (await keep(checked, options.output ?? join(directory!, 'results/check/default'), options, output));
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
    ...(kept ? [kept] : []),
  ].join('\n');
  output.result(text, {
    manifest,
    warnings,
    results: results.map(({ method, name }) => ({ method, name })),
    ...(checked ? { check: checked } : {}),
  });
}

/** The check as a result, for pages to draw; a folder of its own run that cannot be written is no failure of the check. */
async function keep(
  checked: SeriesCheckResult,
  folder: string,
  options: Options,
  output: Output,
): Promise<string | null> {
  try {
    await writeResultTo(folder, checked);
  } catch (cause) {
    if (options.output !== undefined) throw cause;
    output.warn(`the check is not kept: ${(cause as Error).message}`);
    return null;
  }
  await writePictures(folder, checkPictures(checked), picturesOf(options), output);
  return `kept in ${folder}, for "epochscope report" and "epochscope serve" to draw`;
}

function checkRun(run: Run, output: Output): Promise<SeriesCheckResult> {
  const progress = output.progress('Comparing snapshots');
  return checkOfRun(run, {
    signal: output.signal,
    onProgress: (done, total) => progress.update(done, total),
  }).finally(() => progress.stop());
}

/** Checkpoints as they lie, or a series on a hub: linked in memory, so that nothing is written and only what is looked at is read. */
async function checkFolder(place: string, options: Options, output: Output): Promise<void> {
  const { revisions, series, pattern } = options;
  const store = memoryStore();
  const progress = output.progress('Reading headers');
  const summary = await importRun(
    place,
    store,
    {
      link: true,
      revisions,
      series,
      pattern,
      hub: hubOptions(output),
    },
    {
      signal: output.signal,
      onProgress: ({ stageShare, title }) => progress.update(stageShare, 1, title),
    },
  ).finally(() => progress.stop());
  for (const note of summary.notes) if (!/^the weights stay/.test(note)) output.say(`note: ${note}`);
  for (const { reason } of summary.leftOut) output.warn(`left out: ${reason}`);
  const checked = await checkRun(await openRun(store), output);
  const kept = options.output === undefined ? null : await keep(checked, options.output, options, output);
  output.result([place, checkText(checked, summary.snapshots.length), ...(kept ? [kept] : [])].join('\n'), {
    snapshots: summary.snapshots,
    notes: summary.notes,
    leftOut: summary.leftOut,
    check: checked,
  });
}

function checkText({ findings, tensors, frozen, sampled }: SeriesCheckResult, snapshots: number): string {
  const looked = `${sampled} weights of ${tensors + frozen} tensors in ${snapshots} snapshots${frozen ? `; ${frozen} tensors never change` : ''}`;
  return findings.length
    ? [
        `check    ${looked}:`,
        ...findings.map(({ grade, text }) => `  ${grade === 'note' ? 'note: ' : ''}${printable(text)}`),
      ].join('\n')
    : `check    nothing odd in ${looked}${snapshots < 3 ? ' (order can be checked from three on)' : ''}`;
}

/** What a folder of checkpoints would give. */
async function describeFolder(
  directory: string,
  { revisions, series: wanted, pattern }: Options,
  output: Output,
): Promise<void> {
  const progress = output.progress('Looking at files');
  const { layout, snapshots, series, notes, unreadable } = await describeImport(directory, {
    ...{ revisions, series: wanted, pattern, hub: hubOptions(output) },
    signal: output.signal,
    onProgress: (done, total, path) => progress.update(done, total, path),
  }).finally(() => progress.stop());
  for (const note of notes) output.say(`note: ${note}`);
  for (const { reason } of unreadable) output.warn(reason);
  const broken = new Set(unreadable.map(({ path }) => path));
  const rows = snapshots.map(({ path, epoch, step, tensors, files }) => [
    path,
    epoch ?? '–',
    step ?? '–',
    broken.has(path) ? 'unreadable' : (tensors ?? '–'),
    files.length || '–',
  ]);
  const shown = rows.length > 40 ? [...rows.slice(0, 20), ...rows.slice(-20)] : rows;
  output.result(
    [
      `${layout}: ${rows.length} ${rows.length === 1 ? 'snapshot' : 'snapshots'}, to be read with "epochscope import ${directory} -o RUN"`,
      '',
      table([['file', 'epoch', 'step', 'tensors', 'outputs'], ...shown]),
      ...(shown.length < rows.length ? [`(first and last 20 of ${rows.length})`] : []),
    ].join('\n'),
    {
      layout,
      snapshots: snapshots.map(({ path, epoch, step, metrics, files }) => ({
        path,
        epoch,
        step,
        metrics,
        outputs: files.map(({ layer }) => layer),
      })),
      series,
      notes,
      unreadable,
    },
  );
}
