import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { EpochscopeError, guard, type Matrix } from '@epochscope/core-wasm';
import { fileError, withFile } from '../formats/file-source.js';
import { selectChannel, tensorToMatrix } from '../formats/matrix.js';
import { readNpy } from '../formats/npy.js';
import { readSafetensors, readSafetensorsHeader, type SafetensorsEntry } from '../formats/safetensors.js';
import type { ByteSource } from '../formats/types.js';
import { findLayer, findSnapshot, MAX_MANIFEST_BYTES, parseManifest } from './manifest.js';
import { readSeries, type WeightPlaces } from './series.js';
import { readStepLog, readStepRecord, recordPlaces } from './steps/index.js';
import type { Run, RunManifest, SnapshotInfo } from './types.js';

const exists = (path: string) =>
  stat(path).then(
    (info) => info.isFile(),
    () => false,
  );

/** run.json with the snapshots of the step log put among its own, by step. Throws `missing` for a folder that is no run. */
export async function readManifest(directory: string): Promise<RunManifest> {
  const manifest = await readRunJson(directory);
  const log = await readStepLog(directory);
  return { ...manifest, snapshots: merged(manifest.snapshots, log?.records.map(({ info }) => info) ?? []) };
}

/** Ordered by step where all have one, else folders first. The log's own of an id wins. */
function merged(folders: SnapshotInfo[], logged: SnapshotInfo[]): SnapshotInfo[] {
  if (!logged.length) return folders;
  const ids = new Set(logged.map(({ id }) => id));
  const all = [...folders.filter(({ id }) => !ids.has(id)), ...logged];
  return all.every(({ step }) => step !== null) ? all.sort((a, b) => a.step! - b.step!) : all;
}

/** Reads and checks run.json alone. Throws `missing` for a folder that is no run. */
export async function readRunJson(directory: string): Promise<RunManifest> {
  const file = join(directory, 'run.json');
  try {
    const info = await stat(directory);
    guard(info.isDirectory(), 'missing', () => `${directory} is not a folder; expected a run directory`, {
      path: directory,
    });
    const size = (await stat(file)).size;
    guard(
      size <= MAX_MANIFEST_BYTES,
      'format',
      () => `${file}: expected at most ${MAX_MANIFEST_BYTES} bytes, got ${size}`,
      { file, got: size },
    );
    return parseManifest(await readFile(file, 'utf8'), file);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') {
      const here = await stat(directory).then(
        () => true,
        () => false,
      );
      throw new EpochscopeError(
        'missing',
        here ? `${directory} holds no run.json; is it a run directory?` : `${directory} does not exist`,
        { path: directory },
        { cause },
      );
    }
    throw fileError(file, cause);
  }
}

/**
 * Opens a run for reading, also while it is being written. Snapshots whose files are not all there are left out and
 * named in `warnings`. Reads nothing but run.json, the step log's index and folder entries: O(snapshots).
 */
export async function openRun(directory: string): Promise<Run> {
  const manifest = await readRunJson(directory);
  const log = await readStepLog(directory);
  const warnings: string[] = [...(log?.warnings ?? [])];
  const logged = new Map(log?.records.map((record) => [record.info.id, record]));
  const present = await Promise.all(
    manifest.snapshots.map(
      ({ id }) => logged.has(id) || exists(join(directory, 'snapshots', id, 'weights.safetensors')),
    ),
  );
  const folders = manifest.snapshots.filter(({ id }, i) => {
    if (!present[i]) warnings.push(`snapshot ${id} is incomplete (no weights.safetensors) and is left out`);
    return present[i];
  });
  const whole = merged(folders, log?.records.map(({ info }) => info) ?? []);
  if (!manifest.complete) warnings.push('the run is not complete: training goes on, or was cut off');
  const find = (wanted: string | number) => findSnapshot(whole, wanted, directory);
  let header: KnownHeader | null = null;
  const places: WeightPlaces = async (wanted) => {
    const { id } = find(wanted);
    const record = logged.get(id);
    if (log && record) return recordPlaces(directory, log, record.record);
    const file = join(directory, 'snapshots', id, 'weights.safetensors');
    // Snapshots of one net begin with the same header, byte by byte: it is parsed once.
    if (!header || !beginsWith(file, header)) header = await withFile(file, readHeader);
    return { file, tensors: header.entries };
  };
  const outputFile = (snapshotId: string, layer: string) =>
    join(directory, 'snapshots', find(snapshotId).id, 'outputs', `${layer}.npy`);

  return {
    directory,
    manifest: { ...manifest, snapshots: whole },
    warnings,
    snapshot: find,
    layer: (name) => findLayer(manifest.layers, name, directory).layer,
    async weights(snapshotId) {
      const { id } = find(snapshotId);
      const record = logged.get(id);
      return log && record
        ? readStepRecord(directory, log, record)
        : withFile(join(directory, 'snapshots', id, 'weights.safetensors'), readSafetensors);
    },
    weightPlaces: places,
    series: (tensor, options) =>
      readSeries(
        places,
        options?.snapshots?.map((wanted) => find(wanted).id) ?? whole.map(({ id }) => id),
        tensor,
        options,
      ),
    async outputs(snapshotId, name) {
      const { layer, channel } = findLayer(manifest.layers, name, directory);
      const file = outputFile(snapshotId, layer.name);
      guard(
        await exists(file),
        'missing',
        () =>
          `${directory}: snapshot ${snapshotId} holds no outputs of layer ${layer.name}; record them where the net was trained`,
        { snapshot: snapshotId, layer: layer.name, path: file },
      );
      const tensor = await withFile(file, readNpy);
      guard(
        tensor.shape.slice(1).join() === layer.shape.join(),
        'shape',
        () =>
          `${file}: layer ${layer.name} has shape [${layer.shape}], got outputs of shape [${tensor.shape.slice(1)}] per sample`,
        { file, expected: `[${layer.shape}]`, got: `[${tensor.shape.slice(1)}]` },
      );
      const selected = channel === null ? tensor : selectChannel(tensor, channel);
      return tensorToMatrix(selected, file);
    },
    hasOutputs: async (snapshotId, name) =>
      exists(outputFile(snapshotId, findLayer(manifest.layers, name, directory).layer.name)),
    async inputs(): Promise<Matrix | null> {
      const file = join(directory, 'samples', 'inputs.npy');
      return (await exists(file)) ? tensorToMatrix(await withFile(file, readNpy), file) : null;
    },
    async labels() {
      const file = join(directory, 'samples', 'labels.npy');
      if (!(await exists(file))) return null;
      return labelsOf(await withFile(file, readNpy), file, manifest.classes?.length);
    },
  };
}

interface KnownHeader {
  bytes: Uint8Array;
  /** Of the whole file. */
  size: number;
  entries: ReadonlyMap<string, SafetensorsEntry>;
}

async function readHeader(source: ByteSource): Promise<KnownHeader> {
  const { entries } = await readSafetensorsHeader(source);
  const length = [...entries.values()].reduce((least, { begin }) => Math.min(least, begin), source.size);
  return { bytes: await source.read(0, length), size: source.size, entries };
}

/** Blocking, because it is asked for thousands of files in turn. */
function beginsWith(file: string, { bytes, size }: KnownHeader): boolean {
  let fd: number | null = null;
  try {
    fd = openSync(file, 'r');
    if (fstatSync(fd).size !== size) return false;
    const own = Buffer.alloc(bytes.length);
    return readSync(fd, own, 0, own.length, 0) === own.length && own.equals(bytes);
  } catch {
    return false;
  } finally {
    if (fd !== null) closeSync(fd);
  }
}

/** Labels as uint32; throws `format` on fractions, negatives, more than one axis, or labels outside the classes. */
export function labelsOf(
  tensor: { data: ArrayLike<number | bigint>; shape: readonly number[] },
  name: string,
  classes?: number,
): Uint32Array {
  guard(
    tensor.shape.length === 1,
    'shape',
    () => `${name}: expected one label a sample, got shape [${tensor.shape}]`,
    { file: name },
  );
  const { data } = tensor;
  const out = new Uint32Array(data.length);
  for (let i = 0; i < out.length; i++) {
    const value = data[i]!;
    const label = Number(value);
    guard(
      Number.isInteger(label) && label >= 0 && label < (classes ?? 2 ** 32),
      'format',
      () =>
        `${name}: label of sample ${i}: expected a whole number ${classes === undefined ? '≥ 0' : `0 … ${classes - 1}`}, got ${value}`,
      { file: name, sample: i },
    );
    out[i] = label;
  }
  return out;
}
