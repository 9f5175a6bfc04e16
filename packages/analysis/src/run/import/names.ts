// What paths of checkpoints say: "epoch=1-step=938.ckpt", "checkpoint-500/unet/diffusion_pytorch_model.safetensors",
// "weights.03-0.33.h5", "seed_2/model_7.pth", "e01_iter00500.pth", "step_10k.pt".

/** Endings of files that hold weights, the longest first. */
export const WEIGHT_ENDINGS = [
  '.weights.h5',
  '.safetensors',
  '.pth.tar',
  '.pt.tar',
  '.keras',
  '.onnx',
  '.hdf5',
  '.ckpt',
  '.npz',
  '.pth',
  '.bin',
  '.h5',
  '.pt',
  '.tar',
] as const;
export type WeightEnding = (typeof WEIGHT_ENDINGS)[number];

export const endingOf = (name: string): WeightEnding | undefined =>
  WEIGHT_ENDINGS.find((ending) => name.toLowerCase().endsWith(ending));

/** Files beside the weights that trainers keep for themselves. */
export const isTrainerState = (name: string): boolean =>
  /^(optimizer.*|scheduler.*|scaler.*|rng_state.*|training_args|optim.*|random_states.*|custom_checkpoint.*|sampler.*|dl_state_dict|.*optim_states)\.(pt|pth|bin|npz|safetensors|pkl)$/i.test(
    name,
  );

/** Files and folders half written by downloads, editors and trainers. */
export const isUnfinished = (name: string): boolean =>
  /(\.(tmp|part|partial|crdownload|incomplete|temp|sw[op])|~)$/i.test(name) ||
  /\.tmp-[0-9a-f]{8}$|^tmp[-_]?checkpoint|-checkpoint-tmp(-\d+)?$/i.test(name);

/** A number in a path. */
export interface Slot {
  value: number;
  /**
   * What the word beside it says it counts; `series` for what keeps runs apart (seeds, folds, versions); null for none.
   * `decimal`: "0.33", which is a figure and not a count.
   */
  word: 'epoch' | 'step' | 'series' | 'decimal' | null;
  /** Stands right behind a letter, so that it more often belongs to a name: "resnet50". */
  glued: boolean;
  /** In the file's own name, not in a folder's. */
  own: boolean;
  /** Of `series`: keeps runs apart whatever else there is (seeds, folds), so that it never counts snapshots (versions may). */
  apart: boolean;
}

export interface PathName {
  /** The path with each number made "#", but those that keep runs apart: equal for snapshots of one series. */
  template: string;
  /** Numbers in their order; as many, of the same words, in all paths of a template. */
  slots: Slot[];
  /** name=0.25 pairs. */
  metrics: Record<string, number>;
}

const EPOCH = new Set(['epoch', 'epochs', 'ep', 'eps', 'e']);
const STEP = new Set(
  'step steps iter iters iteration iterations it its itr update updates batch batches globalstep'.split(' '),
);
/** Only beside an epoch: "ckpt_e1_b100". */
const SHORT_STEP = new Set(['b', 's', 'i', 'n']);
const SERIES = new Set(
  'seed seeds fold folds run runs version v rank split replica trial cv exp experiment worker gpu member stage rep'.split(
    ' ',
  ),
);
const APART = new Set('seed seeds fold folds cv split replica rank worker gpu member'.split(' '));
const NUMBER = /(\d+(?:\.\d+)?)([kKM](?![A-Za-z\d]))?/g;
const PAIR = /([A-Za-z][A-Za-z_\d]*)=(-?\d+(?:\.\d+)?)/g;
const FACTOR: Record<string, number> = { k: 1e3, K: 1e3, M: 1e6 };

/** Numbers and words of a path whose parts are separated by "/"; `folder`: the last part is a folder's name too. */
export function parsePath(path: string, folder = false): PathName {
  const parts = path.split('/');
  const found: PathName = { template: '', slots: [], metrics: Object.create(null) as Record<string, number> };
  found.template = parts
    .map((part, i) => {
      const own = i === parts.length - 1;
      const ending = own && !folder ? part.slice(part.length - (endingOf(part)?.length ?? 0)) : '';
      return parsePart(part.slice(0, part.length - ending.length), own, !own || folder, found) + ending;
    })
    .join('/');
  return found;
}

/** Where in a name something stands, and what the template has in its place. */
interface Mark {
  begin: number;
  end: number;
  text: string;
  slot?: Slot;
}

function parsePart(stem: string, own: boolean, folder: boolean, found: PathName): string {
  const marks: Mark[] = [];
  for (const match of stem.matchAll(PAIR)) {
    const key = match[1]!.replace(/^[-_]+/, '');
    if (meaningOf(lastWord(key)) !== null) continue;
    found.metrics[key] = Number(match[2]);
    // Figures are of different length: the pair stands in the template as one sign.
    marks.push({ begin: match.index, end: match.index + match[0].length, text: '=#' });
  }
  const checkpoint = folder && /^checkpoint[-_]\d+$/i.test(stem);
  const short: Slot[] = [];
  for (const match of stem.matchAll(NUMBER)) {
    const begin = match.index;
    const end = begin + match[0].length;
    if (marks.some((pair) => begin >= pair.begin && begin < pair.end)) continue;
    const before = /([A-Za-z]+)([-_ .=:]{0,2})$/.exec(stem.slice(0, begin));
    // "100epochs", but not "resnet18_epoch1", whose word has a number of its own.
    const after = /^[-_ ]?([A-Za-z]+)(?![A-Za-z]|[-_ .=:]{0,2}\d)/.exec(stem.slice(end))?.[1]?.toLowerCase();
    const glued = before?.[2] === '';
    const said = before && lastWord(before[1]!);
    const word = match[1]!.includes('.')
      ? // "epoch_0.5", as those that save within an epoch name it.
        said !== null && meaningOf(said) === 'epoch'
        ? 'epoch'
        : 'decimal'
      : checkpoint
        ? 'step'
        : ((said ? meaningOf(said) : null) ??
          // A word before the number says more than one behind it.
          (after && after.length > 1 && meaningOf(after) !== 'series' ? meaningOf(after) : null));
    const slot: Slot = {
      value: Number(match[1]) * (FACTOR[match[2] ?? ''] ?? 1),
      word,
      glued,
      own,
      apart: false,
    };
    slot.apart = word === 'series' && said !== null && APART.has(said);
    if (word === null && glued && SHORT_STEP.has(said!)) short.push(slot);
    marks.push({ begin, end, text: word === 'series' ? String(slot.value) : '#', slot });
    found.slots.push(slot);
  }
  if (marks.some(({ slot }) => slot?.word === 'epoch')) for (const slot of short) slot.word = 'step';
  let template = '';
  let at = 0;
  for (const { begin, end, text } of marks.sort((a, b) => a.begin - b.begin)) {
    template += stem.slice(at, begin) + text;
    at = end;
  }
  return template + stem.slice(at);
}

const meaningOf = (word: string): 'epoch' | 'step' | 'series' | null =>
  EPOCH.has(word) ? 'epoch' : STEP.has(word) ? 'step' : SERIES.has(word) ? 'series' : null;

/** "modelEpoch" → epoch; "global_step" → step. */
const lastWord = (letters: string): string =>
  (letters.split(/_|(?<=[a-z])(?=[A-Z])/).at(-1) ?? '').toLowerCase();

/** Numbers missing from a series that counts in even steps; [] where it does not (as in snapshots at 1, 2, 5, 10). */
export function gapsOf(numbers: readonly number[]): number[] {
  const sorted = [...new Set(numbers)].sort((a, b) => a - b);
  const differences = sorted.slice(1).map((n, i) => n - sorted[i]!);
  if (differences.length < 2) return [];
  const stride = Math.min(...differences);
  const even = differences.filter((d) => d === stride).length;
  if (even * 2 < differences.length || differences.some((d) => d % stride)) return [];
  const gaps: number[] = [];
  for (const [i, d] of differences.entries())
    for (let n = sorted[i]! + stride; n < sorted[i]! + d && gaps.length < 1000; n += stride) gaps.push(n);
  return gaps;
}

/** At most six names. */
export const some = (names: readonly string[]): string =>
  names.length > 6 ? `${names.slice(0, 6).join(', ')}, … (${names.length})` : names.join(', ');
