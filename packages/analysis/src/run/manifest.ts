import { guard } from '@epochscope/core-wasm';
import { isObject, parseJson, shown } from '../formats/json.js';
import type { Selection } from '../formats/matrix.js';
import { TOKEN_CHOICES, tokenAxis } from '../formats/tokens.js';
import { type LayerInfo, RUN_FORMAT, type RunManifest, type SnapshotInfo } from './types.js';

/** A manifest longer than this is refused: 5 000 snapshots take about 1 MB. */
export const MAX_MANIFEST_BYTES = 100_000_000;

/** A name that becomes a file or folder name: no separators, no dots that climb. */
export const isSafeName = (name: unknown): name is string =>
  typeof name === 'string' && /^[^/\\\0]{1,200}$/.test(name) && name !== '.' && name !== '..';
const isNumberOrNull = (value: unknown) => value === null || Number.isFinite(value);

/** A snapshot's line as run.json and the step log hold it. */
export const isSnapshotInfo = (value: unknown): value is SnapshotInfo =>
  isObject(value) &&
  isSafeName(value.id) &&
  isNumberOrNull(value.epoch) &&
  isNumberOrNull(value.step) &&
  isObject(value.metrics);

const isShape = (value: unknown): value is number[] =>
  Array.isArray(value) && value.length <= 8 && value.every((side) => Number.isSafeInteger(side) && side >= 0);

/** Parses and checks run.json. Throws `format` naming the field. */
export function parseManifest(text: string, file: string): RunManifest {
  const json = parseJson(text, file);
  const check: (condition: unknown, path: string, expected: string, got: unknown) => asserts condition = (
    condition,
    path,
    expected,
    got,
  ) =>
    guard(
      condition,
      'format',
      () => `${file}: ${path}: expected ${expected}, got ${got === undefined ? 'nothing' : shown(got)}`,
      { file, path, expected },
    );
  check(isObject(json), 'the whole', 'an object', json);
  check(json.format === RUN_FORMAT, 'format', `"${RUN_FORMAT}"`, json.format);
  check(Array.isArray(json.layers), 'layers', 'a list', json.layers);
  json.layers.forEach((layer: unknown, i: number) => {
    check(
      isObject(layer) && isSafeName(layer.name),
      `layers[${i}].name`,
      'a plain name',
      isObject(layer) ? layer.name : layer,
    );
    check(typeof layer.kind === 'string', `layers[${i}].kind`, 'a text', layer.kind);
    check(isShape(layer.shape), `layers[${i}].shape`, 'a list of whole numbers', layer.shape);
    check(
      Array.isArray(layer.parameters) && layer.parameters.every((p) => typeof p === 'string'),
      `layers[${i}].parameters`,
      'a list of names',
      layer.parameters,
    );
  });
  check(Array.isArray(json.snapshots), 'snapshots', 'a list', json.snapshots);
  json.snapshots.forEach((snapshot: unknown, i: number) => {
    check(
      isObject(snapshot) && isSafeName(snapshot.id),
      `snapshots[${i}].id`,
      'a plain name',
      isObject(snapshot) ? snapshot.id : snapshot,
    );
    for (const key of ['epoch', 'step'])
      check(isNumberOrNull(snapshot[key]), `snapshots[${i}].${key}`, 'a number or null', snapshot[key]);
    check(isObject(snapshot.metrics), `snapshots[${i}].metrics`, 'an object', snapshot.metrics);
    for (const [name, value] of Object.entries(snapshot.metrics)) {
      check(
        value === null || Number.isFinite(value),
        `snapshots[${i}].metrics.${name}`,
        'a number, or null where it was not finite',
        value,
      );
      // A loss that diverged has no figure: as if it had not been measured.
      if (value === null) delete snapshot.metrics[name];
    }
  });
  for (const key of ['layers', 'snapshots'] as const) {
    const names = (json[key] as { name?: string; id?: string }[]).map((item) => item.name ?? item.id);
    const seen = new Set<unknown>();
    const twice = names.find((name) => seen.size === seen.add(name).size);
    check(twice === undefined, key, 'distinct names', twice);
  }
  check(
    json.classes === null ||
      (Array.isArray(json.classes) && json.classes.every((c) => typeof c === 'string')),
    'classes',
    'a list of names or null',
    json.classes,
  );
  check(
    json.inputShape === null || isShape(json.inputShape),
    'inputShape',
    'a list of whole numbers or null',
    json.inputShape,
  );
  check(
    json.samples === null || (isObject(json.samples) && Number.isSafeInteger(json.samples.count)),
    'samples',
    'an object with a count, or null',
    json.samples,
  );
  return json as unknown as RunManifest;
}

const some = (names: string[]) =>
  names.length > 12
    ? `${names.slice(0, 12).join(', ')}, … (${names.length} in all)`
    : names.join(', ') || 'none';

/** "epoch-10" for epoch-0010, "step-500" for step-00000500. */
function numbered(snapshots: readonly SnapshotInfo[], text: string): SnapshotInfo | undefined {
  const match = /^(epoch|step)-(\d+)$/.exec(text);
  return match
    ? snapshots.find((snapshot) => snapshot[match[1] as 'epoch' | 'step'] === Number(match[2]))
    : undefined;
}

/** Finds a snapshot by id, epoch number, "first", "last", "init", "epoch-10" or "step-500". Throws `missing`, naming those there are. */
export function findSnapshot(
  snapshots: readonly SnapshotInfo[],
  wanted: string | number,
  where: string,
): SnapshotInfo {
  const text = String(wanted);
  const found =
    snapshots.find(({ id }) => id === text) ??
    (text === 'first' ? snapshots[0] : text === 'last' ? snapshots[snapshots.length - 1] : undefined) ??
    (/^\d+(\.\d+)?$/.test(text) ? snapshots.find(({ epoch }) => epoch === Number(text)) : undefined) ??
    numbered(snapshots, text) ??
    (text === 'init'
      ? snapshots.find(({ step, epoch }) => step === 0 || (step === null && epoch === 0))
      : undefined);
  guard(
    found,
    'missing',
    () => `${where} has no snapshot ${text}; it has ${some(snapshots.map(({ id }) => id))}`,
    { snapshot: text },
  );
  return found;
}

/**
 * Finds a layer: "S5"; "P1@3" for one channel; of token models "ln@cls", "ln@mean", "ln@last" for one vector of its tokens, and
 * "attn@heads" for the norm of each head. Throws `missing`, naming those there are, `argument` for a part that it does not have.
 */
export function findLayer(
  layers: readonly LayerInfo[],
  wanted: string,
  where: string,
): { layer: LayerInfo; selection: Selection | null } {
  const exact = layers.find(({ name }) => name === wanted);
  if (exact) return { layer: exact, selection: null };
  const match = /^(.+)@(\d+|cls|mean|last|heads)$/.exec(wanted);
  const layer = match && layers.find(({ name }) => name === match[1]);
  guard(
    layer,
    'missing',
    () => `${where} has no layer ${wanted}; it has ${some(layers.map(({ name }) => name))}`,
    { layer: wanted },
  );
  const word = match![2]!;
  const tokens = TOKEN_CHOICES.find((choice) => choice === word);
  if (tokens) {
    const axis = tokenAxis(layers, layer.shape);
    guard(
      axis !== null,
      'argument',
      () => `layer ${layer.name} has no tokens: its shape is [${layer.shape}]`,
      { layer: layer.name },
    );
    return { layer, selection: { tokens, axis } };
  }
  if (word === 'heads') {
    guard(
      layer.shape.length === 3 && tokenAxis(layers, layer.shape) === 1,
      'argument',
      () => `layer ${layer.name} has no heads: expected [heads, tokens, width], got [${layer.shape}]`,
      { layer: layer.name },
    );
    return { layer, selection: { heads: true } };
  }
  const channel = Number(word);
  const channels = layer.shape.length > 1 ? layer.shape[layer.shape.length - 1]! : 0;
  guard(
    channels > 0,
    'argument',
    () => `layer ${layer.name} has no channels: its shape is [${layer.shape}]`,
    { layer: layer.name },
  );
  guard(
    channel < channels,
    'missing',
    () => `layer ${layer.name} has channels 0 … ${channels - 1}, got ${channel}`,
    { layer: layer.name, channel, expected: channels - 1 },
  );
  return { layer, selection: { channel } };
}
