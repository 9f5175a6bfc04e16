import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { withFile } from '@epochscope/analysis';
import { EpochscopeError, guard } from '@epochscope/core-wasm';
import { checkCancelled } from '../analyse.js';
import { makeFolder, writeFileWhole } from '../files.js';
import type { Output } from '../output.js';
import { type ClaimsReport, claimsText, combineClaims, writeClaims } from './claims.js';
import { writePage } from './page.js';
import type { Experiment, ExperimentOptions, SeedReport } from './types.js';

const SEED_FORMAT = 'epochscope-seed/1';

/** What a seed's folder keeps, so that it is not run twice. */
interface KeptSeed extends SeedReport {
  format: typeof SEED_FORMAT;
  seed: number;
  /** What decides it: a seed run with others is not taken over. */
  asked: Record<string, unknown>;
  seconds: number;
}

export interface ReproduceOptions extends Omit<ExperimentOptions, 'seed'> {
  seeds: readonly number[];
  /** False: each seed in its folder, and nothing of all together. */
  claims: boolean;
}

/** Seeds where minutes allow. */
const SEEDS = 3;

/** The seeds that options of the command ask for. */
export const seedsOf = (o: { seed: number; seeds?: number; quick?: boolean }): number[] =>
  Array.from({ length: o.seeds ?? (o.quick ? 1 : SEEDS) }, (_, i) => o.seed + i);

const folderOf = (seed: number) => `seed-${seed}`;

async function readJson<T>(file: string): Promise<T | null> {
  const text = await withFile(file, async (source) =>
    new TextDecoder().decode(await source.read(0, source.size)),
  ).catch((cause) => {
    if (cause instanceof EpochscopeError && cause.code === 'missing') return null;
    throw cause;
  });
  if (text === null) return null;
  try {
    const json: unknown = JSON.parse(text);
    if (typeof json !== 'object' || json === null) throw new TypeError('no object');
    return json as T;
  } catch (cause) {
    throw new EpochscopeError(
      'format',
      `${file} is not JSON; remove it, or pass --overwrite`,
      { path: file },
      { cause },
    );
  }
}

/**
 * Runs an experiment with each seed, in a folder of its own, and writes what they gave together unless told not to: claims.md, claims.json, report.html.
 * Seeds that an earlier call finished with the same options are taken over, so that it can be cut off, and more can be added.
 * Throws `io` where all is done already, `argument` where a seed was run with other options, and what the experiment throws.
 */
export async function reproduce(
  name: string,
  experiment: Experiment,
  options: ReproduceOptions,
  output: Output,
): Promise<void> {
  const { output: folder, overwrite, quick, seeds } = options;
  const done =
    overwrite || !options.claims ? null : await readJson<ClaimsReport>(join(folder, 'claims.json'));
  guard(
    !done || seeds.some((seed) => !(Array.isArray(done.seeds) && done.seeds.includes(seed))),
    'io',
    () => `${folder} already holds a reproduction; choose another folder, more --seeds, or pass --overwrite`,
    { path: folder },
  );
  const kept: KeptSeed[] = [];
  for (const [i, seed] of seeds.entries()) {
    const place = join(folder, folderOf(seed));
    if (seeds.length > 1) output.say(`Seed ${seed} (${i + 1} of ${seeds.length})`);
    kept.push(await oneSeed(place, experiment, { ...options, seed, output: place }, output));
  }
  if (!options.claims) {
    // Of seeds that are no more.
    if (overwrite) await rm(join(folder, 'claims.json'), { force: true });
    output.result(`done in ${folder}: ${seeds.map(folderOf).join(', ')}`, { output: folder, seeds });
    return;
  }
  checkCancelled(output, 'cancelled before the claims were written');
  const report: ClaimsReport = {
    experiment: name,
    paper: experiment.paper,
    quick,
    seeds: [...seeds],
    parameters: kept[0]!.parameters,
    seconds: kept.reduce((sum, { seconds }) => sum + seconds, 0),
    claims: kept[0]!.claims.map(({ id }) =>
      combineClaims(kept.map(({ claims }) => claims.find((claim) => claim.id === id)!)),
    ),
    about: experiment.about,
    remarks: kept.map(({ remarks }) => remarks),
  };
  await makeFolder(folder);
  await writePage(folder, report, kept[0]!.figures, seeds.map(folderOf));
  await writeClaims(folder, report);
  output.result(
    `${claimsText(report)}\n\nwritten to ${folder}: report.html, claims.md, claims.json, ${seeds.map(folderOf).join(', ')}`,
    {
      output: folder,
      ...report,
    },
  );
}

async function oneSeed(
  place: string,
  experiment: Experiment,
  options: ExperimentOptions,
  output: Output,
): Promise<KeptSeed> {
  const { seed, quick, epochs, data, cifar, overwrite } = options;
  const asked = { quick, epochs: epochs ?? null, data: data ?? null, cifar: cifar ?? null };
  const file = join(place, 'seed.json');
  const there = overwrite ? null : await readJson<KeptSeed>(file);
  if (there?.format === SEED_FORMAT) {
    guard(
      JSON.stringify(there.asked) === JSON.stringify(asked),
      'argument',
      () =>
        `${place} was made with other options (${JSON.stringify(there.asked)}); choose another folder or pass --overwrite`,
      { path: place },
    );
    output.say(`${place} is done already`);
    return there;
  }
  const begun = performance.now();
  const report = await experiment.run(options, output);
  checkCancelled(output, 'cancelled before the claims were written');
  const seconds = (performance.now() - begun) / 1000;
  const kept: KeptSeed = { format: SEED_FORMAT, seed, asked, seconds, ...report };
  await makeFolder(place);
  await writeFileWhole(file, `${JSON.stringify(kept, null, 1)}\n`);
  return kept;
}
