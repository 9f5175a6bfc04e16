import { EpochscopeError, formatBytes, guard, type Matrix } from '@epochscope/core-wasm';
import { platform } from '#platform';
import { DTYPE_BYTES, elementCount } from '../formats/dtypes.js';
import { parseJsonInPieces } from '../formats/json-pieces.js';
import { rowsEach, selectPart, tensorToMatrix } from '../formats/matrix.js';
import { type RowChoice, readNpy, readNpyHeader, readNpySelected } from '../formats/npy.js';
import { readSafetensorsHeader, type SafetensorsEntry } from '../formats/safetensors.js';
import type { Tensor } from '../formats/types.js';
import type { FileIdentity } from '../results/types.js';
import { bytesFile, readText, withStored } from '../stores/content.js';
import { openFile } from '../stores/file.js';
import { type HashedFile, hashed } from '../stores/identity.js';
import { type Place, storeOf } from '../stores/of.js';
import { OpenFiles } from '../stores/open-files.js';
import { shown } from '../stores/paths.js';
import type { Store, StoredFile } from '../stores/types.js';
import { imagesOf, pictureShape } from './images.js';
import { checkSame, LINK_FILE, parseLink } from './link.js';
import { checkManifest, findLayer, findSnapshot, MAX_MANIFEST_BYTES } from './manifest.js';
import { readSeries } from './series.js';
import { readStepLog, readStepRecord, recordPlaces } from './steps/index.js';
import type { ReadOptions, Run, RunManifest, SnapshotInfo, WeightPlaces } from './types.js';
import { type SnapshotWeights, snapshotWeights, type WeightPlace } from './weights.js';

/** run.json with the snapshots of the step log put among its own, by step. Throws `missing` for a place that holds no run. */
export async function readManifest(place: Place): Promise<RunManifest> {
  const store = await storeOf(place);
  const manifest = await readRunJson(store);
  const log = await readStepLog(store);
  return { ...manifest, snapshots: merged(manifest.snapshots, log?.records.map(({ info }) => info) ?? []) };
}

/** Ordered by step where all have one, else folders first. The log's own of an id wins. */
function merged(folders: SnapshotInfo[], logged: SnapshotInfo[]): SnapshotInfo[] {
  if (!logged.length) return folders;
  const ids = new Set(logged.map(({ id }) => id));
  const all = [...folders.filter(({ id }) => !ids.has(id)), ...logged];
  return all.every(({ step }) => step !== null) ? all.sort((a, b) => a.step! - b.step!) : all;
}

/** Reads and checks run.json alone. Throws `missing` for a place that holds no run. */
export async function readRunJson(store: Store): Promise<RunManifest> {
  let text: string;
  try {
    text = await readText(store, 'run.json', MAX_MANIFEST_BYTES);
  } catch (cause) {
    if (!(cause instanceof EpochscopeError) || cause.code !== 'missing') throw cause;
    // An address without an index cannot be listed.
    const there = await store.list('').then(
      (entries) => entries.length > 0,
      () => true,
    );
    throw new EpochscopeError(
      'missing',
      there
        ? `${store.name} holds no run.json; is it a run directory?`
        : `${store.name} does not exist or is empty; expected a run directory`,
      { path: store.name },
      { cause },
    );
  }
  const file = shown(store, 'run.json');
  return checkManifest(await parseJsonInPieces(text, file), file);
}

/** Last part of a place's name: "my-run" of "/data/my-run/" and of "my-run.zip". */
const lastPart = (name: string) =>
  name
    .replace(/[/\\]+$/, '')
    .split(/[/\\]/)
    .at(-1)!
    .replace(/\.zip$/, '') || name;

/** A link of 200 000 tensors has some 30 MB. */
const MAX_LINK_BYTES = 100_000_000;
/** Links of snapshots that are kept parsed. */
const MAX_LINKS = 256;
/** Weights that are held at once as float32: two billion of them. */
const MAX_WEIGHTS_BYTES = 8e9;
/** Snapshot folders looked at at once where each is a request. */
const AT_ONCE = 32;

/**
 * Opens a run for reading, also while it is being written: a folder's path or a zip's (Node), an http(s) address, a `File`, a directory's
 * handle, a store. Snapshots whose files are not all there are left out and named in `warnings`. Reads nothing but
 * run.json, the step log's index and folder entries: O(snapshots). Throws `missing`, `format`, `io`.
 */
export async function openRun(place: Place): Promise<Run> {
  const store = await storeOf(place);
  const manifest = await readRunJson(store);
  const log = await readStepLog(store);
  const warnings: string[] = [...(log?.warnings ?? [])];
  const logged = new Map(log?.records.map((record) => [record.info.id, record]));
  const weightsFile = (id: string) => `snapshots/${id}/weights.safetensors`;
  const linkFile = (id: string) => `snapshots/${id}/${LINK_FILE}`;
  const present: boolean[] = [];
  for (let at = 0; at < manifest.snapshots.length; at += AT_ONCE)
    present.push(
      ...(await Promise.all(
        manifest.snapshots
          .slice(at, at + AT_ONCE)
          .map(
            async ({ id }) =>
              logged.has(id) || (await store.has(weightsFile(id))) || (await store.has(linkFile(id))),
          ),
      )),
    );
  const folders = manifest.snapshots.filter(({ id }, i) => {
    if (!present[i]) warnings.push(`snapshot ${id} is incomplete (no weights.safetensors) and is left out`);
    return present[i];
  });
  const whole = merged(folders, log?.records.map(({ info }) => info) ?? []);
  if (!manifest.complete) warnings.push('the run is not complete: training goes on, or was cut off');
  const find = (wanted: string | number) => findSnapshot(whole, wanted, store.name);
  let header: KnownHeader | null = null;
  /** Opened once: they hold nothing, and each opening is a request. */
  const remote = new Map<string, StoredFile>();
  const links = new Map<string, WeightPlaces>();
  const places: Run['weightPlaces'] = async (wanted) => {
    const { id } = find(wanted);
    const record = logged.get(id);
    if (log && record) return recordPlaces(log, record.record);
    const path = weightsFile(id);
    if (!(await store.has(path)) && (await store.has(linkFile(id)))) {
      const known = links.get(id);
      if (known) return known;
      const { files, tensors } = parseLink(
        await readText(store, linkFile(id), MAX_LINK_BYTES),
        shown(store, linkFile(id)),
      );
      const placed = [...tensors].map(([name, { begin, ...rest }]): [string, WeightPlace] => [
        name,
        {
          name,
          begin,
          end: begin + elementCount(rest.shape) * DTYPE_BYTES[rest.dtype],
          ...rest,
          shape: [...rest.shape],
        },
      ]);
      const link = { path: linkFile(id), tensors: new Map(placed), files };
      // A few, so that one tensor after another is gone through without parsing them again.
      if (links.size > MAX_LINKS) links.clear();
      links.set(id, link);
      return link;
    }
    return withStored(store, path, async (file) => {
      // Snapshots of one net begin with the same header, byte by byte: it is parsed once.
      if (!header || !(await beginsWith(file, header))) header = await readHeader(file);
      return { path, tensors: header.entries };
    });
  };
  const outputPath = (snapshotId: string, layer: string) =>
    `snapshots/${find(snapshotId).id}/outputs/${layer}.npy`;
  /** Reads a file whole or by rows, and notes which state of it that was. */
  const read = async <T>(
    path: string,
    options: ReadOptions,
    body: (file: StoredFile) => Promise<T>,
  ): Promise<T> => {
    if (!options.reads) return withStored(store, path, body);
    const file = hashed(await store.open(path));
    try {
      const value = await body(file);
      options.reads[path] = readTwice(options.reads[path], file.identity());
      return value;
    } finally {
      await file.close();
    }
  };
  /** `shared`: files that stay open for other snapshots, closed by whoever made it. */
  const openWeights = async (
    wanted: string,
    { reads }: Pick<ReadOptions, 'reads'> = {},
    shared?: OpenFiles,
  ): Promise<SnapshotWeights> => {
    const { id } = find(wanted);
    const record = logged.get(id);
    if (log && record && !shared) {
      // Whole, so that its checksum is looked at.
      const { bytes, identity } = await readStepRecord(store, log, record);
      if (reads) Object.assign(reads, identity);
      const file = bytesFile(shown(store, 'steps'), bytes, null);
      return snapshotWeights(id, recordPlaces(log, 0).tensors, async () => file, file.close);
    }
    const { path, tensors, files } = await places(wanted);
    if (files && reads) {
      const link = hashed(await store.open(path));
      await link.read(0, link.size);
      reads[path] = link.identity();
      await link.close();
    }
    const own = shared ?? new OpenFiles();
    let noted: HashedFile | null = null;
    const open = ({ file }: WeightPlace) => {
      const linked = file === undefined ? null : files![file]!;
      return own.get(linked?.place ?? path, async () => {
        if (!linked) {
          const opened = await store.open(path);
          if (!reads) return opened;
          noted = hashed(opened);
          // The header too, so that what is read whole has the whole file's hash.
          await noted.read(0, Math.min(noted.size, ...[...tensors.values()].map(({ begin }) => begin)));
          return noted;
        }
        const known = remote.get(linked.place);
        if (known) return known;
        const opened = await openFile(linked.place);
        checkSame(linked, opened);
        if (/^https?:/.test(linked.place)) remote.set(linked.place, opened);
        return opened;
      });
    };
    return snapshotWeights(id, tensors, open, async () => {
      if (noted && reads) reads[path] = noted.identity();
      if (!shared) await own.close();
    });
  };
  const rowsOf = async (path: string, options: ReadOptions): Promise<Tensor> =>
    read(path, options, (file) => (options.rows ? readNpySelected(file, options.rows) : readNpy(file)));
  const sample = async (file: string, options: ReadOptions) => {
    const path = `samples/${file}`;
    return (await store.has(path)) ? { path, tensor: await rowsOf(path, options) } : null;
  };
  const classesIn = async (file: string, options: ReadOptions) => {
    const found = await sample(file, options);
    return found && labelsOf(found.tensor, shown(store, found.path), manifest.classes?.length);
  };

  const outputTensor: Run['outputTensor'] = async (snapshotId, name, options = {}) => {
    const { layer, selection } = findLayer(manifest.layers, name, store.name);
    const path = outputPath(snapshotId, layer.name);
    guard(
      await store.has(path),
      'missing',
      () =>
        `${store.name}: snapshot ${snapshotId} holds no outputs of layer ${layer.name}; record them where the net was trained`,
      { snapshot: snapshotId, layer: layer.name, path },
    );
    // Rows that are tokens: the samples they are of, each once, then the tokens among theirs.
    const each = rowsEach(layer.shape, selection);
    const wanted = each > 1 && options.rows ? tokenRows(options.rows, each) : null;
    const tensor = await rowsOf(path, wanted ? { ...options, rows: wanted.samples } : options);
    const file = shown(store, path);
    guard(
      tensor.shape.slice(1).join() === layer.shape.join(),
      'shape',
      () =>
        `${file}: layer ${layer.name} has shape [${layer.shape}], got outputs of shape [${tensor.shape.slice(1)}] per sample`,
      { file, expected: `[${layer.shape}]`, got: `[${tensor.shape.slice(1)}]` },
    );
    if (!selection) return tensor;
    const part = selectPart(tensor, selection);
    return wanted ? pickRows(part, wanted.tokens) : part;
  };

  return {
    store,
    name: lastPart(store.name),
    manifest: { ...manifest, snapshots: whole },
    warnings,
    snapshot: find,
    layer: (name) => findLayer(manifest.layers, name, store.name).layer,
    async weights(snapshotId, options = {}) {
      const { id } = find(snapshotId);
      const record = logged.get(id);
      if (log && record) {
        const tensors = await readStepRecord(store, log, record);
        if (options.reads) Object.assign(options.reads, tensors.identity);
        return tensors.tensors;
      }
      const opened = await openWeights(id, options);
      try {
        const tensors = new Map<string, Tensor>();
        const total = [...opened.tensors.values()].reduce(
          (sum, { shape }) => sum + 4 * elementCount(shape),
          0,
        );
        guard(
          total <= MAX_WEIGHTS_BYTES,
          'memory',
          () =>
            `${store.name}: the weights of ${id} take ${formatBytes(total)} in memory, over the ${formatBytes(MAX_WEIGHTS_BYTES)} allowed at once; change, tracks and the check of a series read them tensor by tensor`,
          { needed: total, available: MAX_WEIGHTS_BYTES },
        );
        for (const name of opened.tensors.keys()) tensors.set(name, await opened.read(name));
        return tensors;
      } finally {
        await opened.close();
      }
    },
    openWeights: (id, options) => openWeights(id, options),
    weightPlaces: places,
    series: (tensor, options) =>
      readSeries(
        (id, files) => openWeights(id, {}, files),
        options?.snapshots?.map((wanted) => find(wanted).id) ?? whole.map(({ id }) => id),
        tensor,
        options,
      ),
    async outputs(snapshotId, name, options = {}) {
      const path = outputPath(snapshotId, findLayer(manifest.layers, name, store.name).layer.name);
      return tensorToMatrix(await outputTensor(snapshotId, name, options), shown(store, path));
    },
    outputTensor,
    outputsPath: (snapshotId, name) =>
      outputPath(snapshotId, findLayer(manifest.layers, name, store.name).layer.name),
    async outputCount(snapshotId, name) {
      const { layer, selection } = findLayer(manifest.layers, name, store.name);
      const path = outputPath(snapshotId, layer.name);
      if (!(await store.has(path))) return null;
      return (
        ((await withStored(store, path, readNpyHeader)).shape[0] ?? 1) * rowsEach(layer.shape, selection)
      );
    },
    hasOutputs: async (snapshotId, name) =>
      store.has(outputPath(snapshotId, findLayer(manifest.layers, name, store.name).layer.name)),
    async inputs(options = {}): Promise<Matrix | null> {
      const found = await sample('inputs.npy', options);
      return found && tensorToMatrix(found.tensor, shown(store, found.path));
    },
    async inputTensor(options = {}) {
      return (await sample('inputs.npy', options))?.tensor ?? null;
    },
    async images(rows = null, options = {}) {
      if (!pictureShape(manifest.inputShape)) return null;
      const found = await sample('inputs.npy', rows ? { ...options, rows } : options);
      const images =
        found && imagesOf(tensorToMatrix(found.tensor, shown(store, found.path)), manifest.inputShape);
      return images && { ...images, from: { samples: 'inputs', rows } };
    },
    labels: (options = {}) => classesIn('labels.npy', options),
    predictions: (options = {}) => classesIn('predictions.npy', options),
  };
}

/** Of rows that are tokens, so many a sample: which samples they are of, and where they stand among the tokens of those. */
function tokenRows(rows: RowChoice, each: number): { samples: Uint32Array; tokens: Uint32Array } {
  const tokens =
    rows instanceof Uint32Array
      ? rows
      : Uint32Array.from({ length: rows[1] - rows[0] }, (_, i) => rows[0] + i);
  const samples = Uint32Array.from(new Set(Array.from(tokens, (row) => Math.floor(row / each))));
  const place = new Map(Array.from(samples, (sample, i) => [sample, i]));
  return {
    samples,
    tokens: tokens.map((row) => place.get(Math.floor(row / each))! * each + (row % each)),
  };
}

function pickRows({ data, shape: [, ...shape], dtype }: Tensor, rows: Uint32Array): Tensor {
  const width = elementCount(shape);
  const out = new (data.constructor as Float32ArrayConstructor)(rows.length * width);
  rows.forEach((row, i) => {
    out.set((data as Float32Array).subarray(row * width, (row + 1) * width), i * width);
  });
  return { data: out, shape: [rows.length, ...shape], dtype };
}

/** Of a file read again: its whole hash if one reading was of all of it, else the hash of both readings in turn. */
function readTwice(before: FileIdentity | undefined, now: FileIdentity): FileIdentity {
  if (!before || 'sha256' in now) return now;
  if ('sha256' in before || before.sha256OfRead === now.sha256OfRead) return before;
  const hash = platform.sha256();
  hash.update(new TextEncoder().encode(before.sha256OfRead + now.sha256OfRead));
  return { ...now, sha256OfRead: hash.digest() };
}

interface KnownHeader {
  bytes: Uint8Array;
  /** Of the whole file. */
  size: number;
  entries: ReadonlyMap<string, SafetensorsEntry>;
}

async function readHeader(file: StoredFile): Promise<KnownHeader> {
  const { entries } = await readSafetensorsHeader(file);
  const length = [...entries.values()].reduce((least, { begin }) => Math.min(least, begin), file.size);
  return { bytes: await file.read(0, length), size: file.size, entries };
}

async function beginsWith(file: StoredFile, { bytes, size }: KnownHeader): Promise<boolean> {
  if (file.size !== size) return false;
  const own = await file.read(0, bytes.length);
  for (let i = 0; i < bytes.length; i++) if (own[i] !== bytes[i]) return false;
  return true;
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
