import { guard } from '@epochscope/core-wasm';
import { parseJson, shown } from '../formats/json.js';
import type { Selection } from '../formats/matrix.js';
import {
  count,
  finite,
  like,
  listOf,
  object,
  optional,
  orNull,
  recordOf,
  shaped,
  text,
} from '../formats/shape.js';
import { TOKEN_CHOICES, tokenAxis } from '../formats/tokens.js';
import { type LayerInfo, RUN_FORMAT, type RunManifest, type SnapshotInfo } from './types.js';

/** A manifest longer than this is refused: 5 000 snapshots take about 1 MB. */
export const MAX_MANIFEST_BYTES = 100_000_000;

/** A name that becomes a file or folder name: no separators, no dots that climb. */
export const isSafeName = (name: unknown): name is string =>
  typeof name === 'string' && /^[^/\\\0]{1,200}$/.test(name) && name !== '.' && name !== '..';

const plainName = like<string>('a plain name', isSafeName);
const shape = like<number[]>(
  'a list of whole numbers',
  (value) =>
    Array.isArray(value) &&
    value.length <= 8 &&
    value.every((side) => Number.isSafeInteger(side) && side >= 0),
);
const names = like<string[]>(
  'a list of names',
  (value) => Array.isArray(value) && value.every((name) => typeof name === 'string'),
);
const snapshotInfo = object({
  id: plainName,
  epoch: orNull(finite),
  step: orNull(finite),
  metrics: recordOf(
    like('a number, or null where it was not finite', (v) => v === null || Number.isFinite(v)),
  ),
});
const manifest = object({
  format: like(`"${RUN_FORMAT}"`, (value) => value === RUN_FORMAT),
  layers: listOf(object({ name: plainName, kind: text, shape, parameters: names })),
  snapshots: listOf(snapshotInfo),
  classes: orNull(names),
  inputShape: orNull(shape),
  samples: orNull(object({ count, source: optional(text) }, 'an object with a count')),
  model: optional(
    orNull(
      object({
        name: text,
        inputShape: optional(shape),
        classes: optional(count),
        seed: optional(finite),
        hidden: optional(listOf(count)),
        activation: optional(text),
        deviation: optional(finite),
      }),
    ),
  ),
  tool: optional(orNull(object({ name: optional(text), version: optional(text) }))),
  training: optional(orNull(object({ data: optional(orNull(text)) }))),
});

/** A snapshot's line as run.json and the step log hold it. */
export const isSnapshotInfo = (value: unknown): value is SnapshotInfo => {
  try {
    shaped(value, snapshotInfo, '');
    return true;
  } catch {
    return false;
  }
};

/** Parses and checks run.json. Throws `format` naming the field. */
export const parseManifest = (text: string, file: string): RunManifest =>
  checkManifest(parseJson(text, file), file);

/** Checks what run.json holds. Throws `format` naming the field. */
export function checkManifest(json: unknown, file: string): RunManifest {
  const run = shaped(json, manifest, file);
  // A loss that diverged has no figure: as if it had not been measured.
  for (const { metrics } of run.snapshots)
    for (const key of Object.keys(metrics)) if (metrics[key] === null) delete metrics[key];
  for (const key of ['layers', 'snapshots'] as const) {
    const seen = new Set<unknown>();
    const twice = run[key]
      .map((item) => ('id' in item ? item.id : item.name))
      .find((name) => seen.size === seen.add(name).size);
    guard(
      twice === undefined,
      'format',
      () => `${file}: ${key}: expected distinct names, got ${shown(twice)}`,
      { file, path: key, expected: 'distinct names' },
    );
  }
  return json as RunManifest;
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
 * Finds a layer: "S5"; "P1@3" for one channel; of token models "ln@cls", "ln@mean", "ln@last" for one vector of its tokens,
 * "ln@all" for each token as a sample, and "attn@heads" for the norm of each head. Throws `missing`, naming those there are, `argument` for a part that it does not have.
 */
export function findLayer(
  layers: readonly LayerInfo[],
  wanted: string,
  where: string,
): { layer: LayerInfo; selection: Selection | null } {
  const exact = layers.find(({ name }) => name === wanted);
  if (exact) return { layer: exact, selection: null };
  const match = /^(.+)@(\d+|cls|mean|last|all|heads)$/.exec(wanted);
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
