import { zipSync } from 'fflate';
import { encodeNpy } from '../formats/npy.js';
import { encodeSafetensors } from '../formats/safetensors.js';
import { toolInfo } from '../version.js';
import { checkName, sampleCount } from './check.js';
import { RUN_FORMAT, type RunManifest, type RunWriter } from './types.js';
import type { RunInit } from './write.js';

/** Dates in a zip begin in 1980; a fixed one makes equal runs equal bytes. */
const NO_DATE = new Date(1980, 0, 1);

export interface MemoryRun
  extends Pick<RunWriter, 'directory' | 'writeSamples' | 'writeSnapshot' | 'finish'> {
  readonly manifest: RunManifest;
  /** Path in the run directory → bytes, run.json last. */
  files(): Map<string, Uint8Array>;
  /** The run directory as a zip, to be saved and unpacked where `epochscope` runs. */
  zip(): Uint8Array;
}

/** A run held in memory, for browsers and tests: the same files as `createRun` writes. */
export function createMemoryRun(name: string, init: RunInit): MemoryRun {
  const manifest: RunManifest = {
    format: RUN_FORMAT,
    tool: toolInfo,
    ...init,
    samples: null,
    snapshots: [],
    complete: false,
  };
  const stored = new Map<string, Uint8Array>();
  const files = () =>
    new Map(stored).set('run.json', new TextEncoder().encode(`${JSON.stringify(manifest, null, 1)}\n`));
  return {
    directory: name,
    manifest,
    async writeSamples({ inputs, labels, source }) {
      const count = sampleCount(inputs, labels);
      if (inputs) stored.set('samples/inputs.npy', encodeNpy(inputs.data, inputs.shape));
      if (labels) stored.set('samples/labels.npy', encodeNpy(labels, [labels.length]));
      manifest.samples = { count, source };
    },
    async writeSnapshot(info, weights, outputs = new Map()) {
      checkName('snapshot id', info.id);
      for (const layer of outputs.keys()) checkName('layer name', layer);
      stored.set(`snapshots/${info.id}/weights.safetensors`, encodeSafetensors(weights));
      for (const [layer, { data, shape }] of outputs)
        stored.set(`snapshots/${info.id}/outputs/${layer}.npy`, encodeNpy(data, shape));
      manifest.snapshots = [...manifest.snapshots.filter(({ id }) => id !== info.id), info];
    },
    async finish() {
      manifest.complete = true;
    },
    files,
    zip: () =>
      zipSync(
        Object.fromEntries(
          [...files()].map(([path, bytes]) => [`${name}/${path}`, [bytes, { level: 0, mtime: NO_DATE }]]),
        ),
      ),
  };
}
