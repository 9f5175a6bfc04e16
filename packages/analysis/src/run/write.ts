import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { guard } from '@epochscope/core-wasm';
import { fileError } from '../formats/file-source.js';
import { encodeNpy } from '../formats/npy.js';
import { encodeSafetensors } from '../formats/safetensors.js';
import type { Tensor } from '../formats/types.js';
import { toolInfo } from '../version.js';
import { isTemporary, makeFolder, writeFileAtomic, writeFolderAtomic } from './atomic.js';
import { checkName, sampleCount } from './check.js';
import { readManifest, readRunJson } from './read.js';
import { openStepWriter, type StepWriter } from './steps/index.js';
import { RUN_FORMAT, type RunManifest, type RunWriter } from './types.js';

export type RunInit = Omit<RunManifest, 'format' | 'tool' | 'snapshots' | 'complete' | 'samples'>;

/** What an older run leaves behind when it is overwritten: only what a run writes is removed. */
const OWN = ['run.json', 'samples', 'snapshots', 'steps', 'results'];

/**
 * Starts a run directory. An existing folder must be empty, or hold a run and `overwrite` be true (its own files are
 * removed, others kept). Throws `io` where it cannot write. run.json is there from the start, with no snapshots.
 */
export async function createRun(
  directory: string,
  init: RunInit,
  options: { overwrite?: boolean } = {},
): Promise<RunWriter> {
  await claim(directory, options.overwrite ?? false);
  return writer(directory, {
    format: RUN_FORMAT,
    tool: toolInfo,
    ...init,
    samples: null,
    snapshots: [],
    complete: false,
  });
}

/** Goes on with a run that was cut off: later snapshots are added, one of the same id replaced. */
export async function resumeRun(directory: string): Promise<RunWriter & { manifest: RunManifest }> {
  const own = { ...(await readRunJson(directory)), complete: false };
  const manifest = { ...(await readManifest(directory)), complete: false };
  await removeLeftovers(directory);
  return { ...writer(directory, own), manifest };
}

/** What a killed writer was writing: readers pass over it, but it fills the disk. */
async function removeLeftovers(directory: string): Promise<void> {
  try {
    for (const folder of [directory, join(directory, 'samples'), join(directory, 'snapshots')]) {
      for (const name of await readdir(folder).catch(() => [] as string[]))
        if (isTemporary(name)) await rm(join(folder, name), { recursive: true, force: true });
    }
  } catch (cause) {
    throw fileError(directory, cause, 'write');
  }
}

async function claim(directory: string, overwrite: boolean): Promise<void> {
  try {
    await makeFolder(directory);
    const entries = await readdir(directory);
    if (entries.length) {
      guard(
        entries.includes('run.json') || entries.every((name) => OWN.includes(name) || isTemporary(name)),
        'io',
        () => `${directory} is not empty and holds no run; choose another folder`,
        { path: directory },
      );
      guard(
        overwrite,
        'io',
        () => `${directory} already holds a run; choose another folder or pass --overwrite`,
        { path: directory },
      );
      // run.json first: from then on it is no run, rather than half of one.
      for (const name of OWN) await rm(join(directory, name), { recursive: true, force: true });
      await removeLeftovers(directory);
    }
    await makeFolder(join(directory, 'snapshots'));
  } catch (cause) {
    throw fileError(directory, cause, 'write');
  }
}

function writer(directory: string, manifest: RunManifest): RunWriter {
  const save = () => writeFileAtomic(join(directory, 'run.json'), `${JSON.stringify(manifest, null, 1)}\n`);
  let started: Promise<void> | null = null;
  const start = () => (started ??= save());
  let steps: Promise<StepWriter> | null = null;
  const close = async () => {
    const open = steps;
    steps = null;
    await (await open)?.close();
  };
  return {
    directory,
    async writeSamples({ inputs, labels, source }) {
      const count = sampleCount(inputs, labels);
      await writeFolderAtomic(join(directory, 'samples'), [
        ...(inputs
          ? ([['inputs.npy', () => encodeNpy(inputs.data, inputs.shape)]] as [string, () => Uint8Array][])
          : []),
        ...(labels
          ? ([['labels.npy', () => encodeNpy(labels, [labels.length])]] as [string, () => Uint8Array][])
          : []),
      ]);
      manifest.samples = { count, source };
      await save();
    },
    async writeSnapshot(info, weights, outputs = new Map()) {
      checkName('snapshot id', info.id);
      for (const layer of outputs.keys()) checkName('layer name', layer);
      await start();
      await writeFolderAtomic(join(directory, 'snapshots', info.id), [
        ['weights.safetensors', () => encodeSafetensors(weights)],
        ...[...outputs].map(([layer, tensor]): [string, () => Uint8Array] => [
          join('outputs', `${layer}.npy`),
          () => encodeNpy(tensor.data, tensor.shape),
        ]),
      ]);
      const at = manifest.snapshots.findIndex(({ id }) => id === info.id);
      if (at >= 0) manifest.snapshots[at] = info;
      else manifest.snapshots.push(info);
      await save();
    },
    async appendSnapshot(info, weights) {
      await start();
      steps ??= openStepWriter(directory);
      await (await steps).append(info, weights);
    },
    close,
    async finish() {
      await close();
      manifest.complete = true;
      await save();
    },
  };
}

/** Adds layer outputs to a snapshot that is already there; each file appears whole. */
export async function writeOutputs(
  directory: string,
  snapshotId: string,
  outputs: ReadonlyMap<string, Tensor>,
): Promise<void> {
  checkName('snapshot id', snapshotId);
  const folder = join(directory, 'snapshots', snapshotId, 'outputs');
  try {
    await makeFolder(folder);
  } catch (cause) {
    throw fileError(folder, cause, 'write');
  }
  for (const [layer, tensor] of outputs) {
    checkName('layer name', layer);
    await writeFileAtomic(join(folder, `${layer}.npy`), encodeNpy(tensor.data, tensor.shape));
  }
}

/** Adds the predicted classes of the analysis samples as samples/predictions.npy (uint32, n). Throws `shape`, `missing`. */
export async function writePredictions(directory: string, predictions: Uint32Array): Promise<void> {
  const { samples } = await readManifest(directory);
  guard(samples, 'missing', () => `${directory} holds no samples to predict`, { path: directory });
  guard(
    predictions.length === samples.count,
    'shape',
    () => `${samples.count} samples need ${samples.count} predictions, got ${predictions.length}`,
    { expected: samples.count, got: predictions.length },
  );
  await writeFileAtomic(
    join(directory, 'samples', 'predictions.npy'),
    encodeNpy(predictions, [predictions.length]),
  );
}
