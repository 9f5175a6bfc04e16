import { contentOf, disguiseOf, headOf } from '../../formats/sniff.js';
import { groupBy } from '../../grouped.js';
import { withStored } from '../../stores/content.js';
import type { Store } from '../../stores/types.js';
import { foreignNotes } from './foreign.js';
import { isTrainerState, parsePath, some } from './names.js';
import type { TreeFile, WeightsPlace } from './places.js';

// Weights under names that say nothing ("step_100", "net_3.model", "model_1.sft"): known by their first bytes.

/** Forms of names looked at, one file each. */
const MAX_FORMS = 40;
/** What never holds weights, and what is known by its name. */
const OTHER =
  /\.(json|jsonl|txt|md|ya?ml|toml|ini|cfg|py|sh|csv|tsv|log|out|err|png|jpe?g|gif|svg|pdf|html?|css|js|npy|npz|gz|zst|xz|bz2|index|lock|model|vocab|sha256|md5)$/i;
/** Endings of the above that weights have been seen under. */
const PERHAPS = /\.model$/i;

const headAt = (store: Store, path: string) =>
  withStored(store, path, async (source) => ({ head: await headOf(source), size: source.size }));

/** Places of weights among files whose names tell nothing: the first of each form of name is looked at. */
export async function placesByContent(
  store: Store,
  files: readonly TreeFile[],
  places: readonly WeightsPlace[],
): Promise<WeightsPlace[]> {
  const known = new Set(places.flatMap(({ path, files: parts }) => [path, ...(parts ?? [])]));
  const free = files.filter(({ path }) => {
    const name = path.slice(path.lastIndexOf('/') + 1);
    return !known.has(path) && !isTrainerState(name) && (!OTHER.test(name) || PERHAPS.test(name));
  });
  const forms = [...groupBy(free, ({ path }) => parsePath(path).template).values()].slice(0, MAX_FORMS);
  const found: WeightsPlace[] = [];
  for (const same of forms) {
    const kind = kindBy(await headAt(store, same[0]!.path));
    if (kind) found.push(...same.map(({ path }): WeightsPlace => ({ kind, path })));
  }
  return found;
}

function kindBy({ head, size }: { head: Uint8Array; size: number }): WeightsPlace['kind'] | null {
  const content = contentOf(head, size);
  if (content === 'safetensors') return content;
  if (content === 'hdf5') return 'keras';
  if (content !== 'zip') return null;
  // A zip's first name: "NAME/data.pkl" (newer ones begin with the format's version), or an array.
  const name = new TextDecoder('latin1').decode(head.subarray(30, 30 + (head[26]! | (head[27]! << 8))));
  if (name.endsWith('.npy')) return 'npz';
  return /^[^/]+\/(data\.pkl|\.format_version|version|byteorder|\.storage_alignment|\.data\/.*)$/.test(name)
    ? 'torch'
    : null;
}

/** A map whose first key is a text, as Flax's "checkpoint_100" begins: {"params": …. */
const isMsgpack = (head: Uint8Array) =>
  head.length > 8 &&
  ((head[0]! & 0xf0) === 0x80 || head[0] === 0xde) &&
  /^[\xa1-\xbf][A-Za-z_][\w./-]*[\x80-\xdf]/.test(
    new TextDecoder('latin1').decode(head.subarray(head[0] === 0xde ? 3 : 1, 48)),
  );

/** What lies in a folder where nothing was recognised, for the message: names, and what is packed. */
export async function whatIsThere(store: Store, files: readonly TreeFile[]): Promise<string[]> {
  if (!files.length) return [];
  const names = files.map(({ path }) => path);
  const first = [...files].sort((a, b) => (b.size ?? 0) - (a.size ?? 0))[0]!;
  const { head, size } = await headAt(store, first.path);
  if (isMsgpack(head)) return foreignNotes(new Map([['flax', names]]));
  const disguise =
    disguiseOf(head, size, first.path) ??
    (contentOf(head, size) === 'zip'
      ? 'is a zip archive: unpack it, or give it instead of the folder'
      : null);
  return [
    `there: ${some(names)}${disguise ? `; ${first.path} ${disguise}` : ''}`,
    'other names are taken by a pattern such as "weights.{step}"',
  ];
}
