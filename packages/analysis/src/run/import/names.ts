// What file and folder names of checkpoints say: "epoch=1-step=938.ckpt", "checkpoint-500", "weights.03-0.33.h5",
// "model_7.pth", "epoch_3".

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
  WEIGHT_ENDINGS.find((ending) => name.endsWith(ending));

/** Files beside the weights that trainers keep for themselves. */
export const isTrainerState = (name: string): boolean =>
  /^(optimizer|scheduler|scaler|rng_state.*|training_args|optim.*|random_states.*)\.(pt|pth|bin|npz|safetensors)$/i.test(
    name,
  );

/** Files half written by downloads, editors and trainers. */
export const isUnfinished = (name: string): boolean =>
  /(\.(tmp|part|partial|crdownload|incomplete|temp)|~)$/i.test(name) || /\.tmp-[0-9a-f]{8}$/.test(name);

export interface NameParts {
  name: string;
  /** The name with each number made "#": equal for snapshots of one series. */
  template: string;
  /** Where a word says so. */
  epoch: number | null;
  step: number | null;
  /** name=0.25 pairs. */
  metrics: Record<string, number>;
  /** Whole numbers that stand alone and that no word explains, in order. */
  bare: number[];
  /** Those behind a letter, which more often belong to a name: "resnet50", "m3". */
  glued: number[];
}

const WORD: [RegExp, 'epoch' | 'step'][] = [
  [/(?:^|[^a-z])ep(?:och)?s?[-_ .=]?(\d+)(?![\d]|\.\d)/i, 'epoch'],
  [/(?:^|[^a-z])(?:global[-_]?step|steps?|iter(?:ation)?s?)[-_ .=]?(\d+)(?![\d]|\.\d)/i, 'step'],
];

/** Reads a name; `folder` because "checkpoint-500" counts steps only there (Hugging Face). */
export function parseName(name: string, folder: boolean): NameParts {
  const ending = folder ? '' : (endingOf(name) ?? '');
  let stem = name.slice(0, name.length - ending.length);
  const parts: NameParts = {
    name,
    template: `${stem.replace(/\d+(\.\d+)?/g, '#')}${ending}`,
    epoch: null,
    step: null,
    metrics: {},
    bare: [],
    glued: [],
  };
  const take = (pattern: RegExp): number | null => {
    const match = pattern.exec(stem);
    if (!match) return null;
    stem =
      stem.slice(0, match.index) + ' '.repeat(match[0].length) + stem.slice(match.index + match[0].length);
    return Number(match[1]);
  };
  for (const [pattern, key] of WORD) parts[key] = take(pattern);
  if (folder && parts.step === null) parts.step = take(/^checkpoint[-_](\d+)$/i);
  for (const [, key, value] of stem.matchAll(/([A-Za-z]\w*)=(-?\d+(?:\.\d+)?)/g))
    parts.metrics[key!.replace(/^[-_]+/, '')] = Number(value);
  stem = stem.replace(/[A-Za-z]\w*=-?\d+(?:\.\d+)?/g, ' ');
  parts.bare = [...stem.matchAll(/(?<![A-Za-z\d]|\d\.)(\d{1,15})(?![\d]|\.\d)/g)].map(([, digits]) =>
    Number(digits),
  );
  parts.glued = [...stem.matchAll(/(?<=[A-Za-z])(\d{1,15})(?![\d]|\.\d)/g)].map(([, digits]) =>
    Number(digits),
  );
  return parts;
}

/**
 * Numbers in a name that no word explains: the first place whose value differs in every one of the series is the epoch;
 * numbers behind a letter are looked at last, and only where there is more than one name. Answers an epoch for each, or null where no place tells them apart.
 */
export function bareNumbers(series: readonly NameParts[]): (number | null)[] {
  for (const key of ['bare', 'glued'] as const) {
    if (key === 'glued' && series.length < 2) break;
    const places = Math.min(...series.map((parts) => parts[key].length));
    for (let place = 0; place < places; place++) {
      const values = series.map((parts) => parts[key][place]!);
      if (new Set(values).size === values.length) return values;
    }
  }
  return series.map(() => null);
}

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
