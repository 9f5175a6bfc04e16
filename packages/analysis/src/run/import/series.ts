import { EpochscopeError, guard } from '@epochscope/core-wasm';
import { byName } from '../../formats/natural.js';
import { groupBy } from '../../grouped.js';
import { type PathName, parsePath, type Slot, some } from './names.js';

// From paths to series: which of them are snapshots of one training, and in what order. Nothing is read but names.

/** A path that is one snapshot, with what its name says. */
export interface Member<T> {
  item: T;
  path: string;
  epoch: number | null;
  step: number | null;
  metrics: Record<string, number>;
}

export interface Series<T> {
  /** The paths' form, numbers that count made "#": "checkpoint-#/unet/model.safetensors", "seed_2/epoch_#.pt". */
  name: string;
  members: Member<T>[];
  /** A number counts snapshots; false for files such as "best.pt", of which no two are of one series. */
  numbered: boolean;
  /** Which runs differ by a number alone (seeds, folds, versions): equal for those. */
  family: string;
}

export interface SeriesOptions {
  /** What numbers count that no word explains; default epochs. */
  numbers?: 'epochs' | 'steps';
  /** "ckpt_{epoch}_{step}.pt", "{series}/model_{step}.pt": only paths of this form, read as it says. */
  pattern?: string;
}

interface Named<T> {
  item: T;
  path: string;
  name: PathName;
}

/**
 * Groups items by their paths. Two items of one series never have the same number: where names leave that open, the series is split by
 * what else differs, and what still coincides throws `format`, naming both. O(items).
 */
export function groupSeries<T extends { path: string; folder: boolean }>(
  items: readonly T[],
  options: SeriesOptions = {},
): Series<T>[] {
  if (options.pattern !== undefined) return byPattern(items, options.pattern);
  const named = items.map(
    (item): Named<T> => ({ item, path: item.path, name: parsePath(item.path, item.folder) }),
  );
  const groups = groupBy(named, ({ name }) => name.template);
  // "v1.pt", "v2.pt": what mostly keeps runs apart counts them where nothing else does.
  const families = groupBy([...groups], ([, [first]]) => first!.path.replace(/\d+(\.\d+)?/g, '#'));
  const series: Series<T>[] = [];
  for (const [family, own] of families) {
    const counts =
      own.length > 1 &&
      own.every(
        ([, group]) =>
          group.length === 1 && !group[0]!.name.slots.some((slot) => slot.apart || isCount(slot)),
      );
    for (const group of counts ? [own.flatMap(([, group]) => group)] : own.map(([, group]) => group))
      series.push(...split(group, options, counts).map((one) => ({ ...one, family })));
  }
  return series;
}

const isCount = ({ word }: Slot) => word === 'epoch' || word === 'step' || word === null;

/** A group of one template as one series, or several where numbers beside the count differ. */
function split<T>(group: Named<T>[], options: SeriesOptions, bySeries: boolean): Omit<Series<T>, 'family'>[] {
  const slots = group[0]!.name.slots;
  const at = (one: Named<T>, slot: number) => one.name.slots[slot]!.value;
  const varies = (slot: number) => group.some((one) => at(one, slot) !== at(group[0]!, slot));
  const of = (test: (slot: Slot, i: number) => boolean) =>
    slots.flatMap((slot, i) => (test(slot, i) ? [i] : []));
  const alone = group.length === 1;
  const lastOf = (list: number[]) => list.findLast((slot) => alone || varies(slot)) ?? null;
  const words = { epoch: of(({ word }) => word === 'epoch'), step: of(({ word }) => word === 'step') };
  let [epoch, step] = [lastOf(words.epoch), lastOf(words.step)];
  const explained = epoch !== null || step !== null;
  let extra: number[] = [];
  if (explained) {
    // One epoch of which several steps were kept is known all the same.
    epoch ??= words.epoch.at(-1) ?? null;
    extra = of(
      ({ word }, i) =>
        word !== 'decimal' &&
        i !== epoch &&
        i !== step &&
        !words.epoch.includes(i) &&
        !words.step.includes(i) &&
        varies(i),
    );
  } else {
    const free = of(
      ({ word }, i) => (word === null || (bySeries && word === 'series')) && (alone || varies(i)),
    );
    const unique = (slot: number) => new Set(group.map((one) => at(one, slot))).size === group.length;
    const plain = free.filter((i) => !slots[i]!.glued);
    // Beside a word that counts, though to the same in all, a number in a name is the net's: "resnet18_epoch1", "resnet50_epoch1".
    const [sameEpoch, sameStep] = [words.epoch.at(-1) ?? null, words.step.at(-1) ?? null];
    const named = sameEpoch !== null || sameStep !== null;
    const glued = free.filter((i) => slots[i]!.glued && !alone && !named);
    const count = plain.find(unique) ?? glued.find(unique);
    // Two numbers of a file's own name that only together tell it apart: fairseq's "checkpoint_EPOCH_UPDATES".
    const own = plain.filter((i) => slots[i]!.own);
    const chosen = count ?? own.at(-1) ?? plain.at(-1) ?? glued.at(-1) ?? null;
    const rises = (slot: number) => {
      const sorted = [...group].sort((a, b) => at(a, count!) - at(b, count!));
      return sorted.every((one, i) => i === 0 || at(sorted[i - 1]!, slot) <= at(one, slot));
    };
    const before =
      count !== undefined && options.numbers === undefined && slots[count]!.own
        ? own.filter((i) => i < count)
        : [];
    const pair =
      count === undefined && own.length >= 2
        ? own.at(-2)!
        : before.length === 1 && rises(before[0]!)
          ? before[0]!
          : null;
    if (chosen === null && !named) {
      // "model_0.5.pt", "model_1.0.pt": parts of epochs, where no number else tells.
      const decimals = of(({ word }, i) => word === 'decimal' && varies(i));
      if (decimals.length === 1 && isCounted(group.map((one) => at(one, decimals[0]!)))) epoch = decimals[0]!;
    } else if (chosen === null) [epoch, step] = [sameEpoch, sameStep];
    else if (pair !== null) [epoch, step] = [pair, chosen];
    else if (options.numbers === 'steps') step = chosen;
    else epoch = chosen;
    extra = free.filter((i) => i !== epoch && i !== step);
  }
  const numbered = epoch !== null || step !== null;
  const member = (one: Named<T>): Member<T> => ({
    item: one.item,
    path: one.path,
    epoch: epoch === null ? null : at(one, epoch),
    step: step === null ? null : at(one, step),
    metrics: one.name.metrics,
  });
  const keyOf = (one: Named<T>) =>
    `${epoch === null ? '' : at(one, epoch)}/${step === null ? '' : at(one, step)}`;
  const doubled = (some: readonly Named<T>[]) => new Set(some.map(keyOf)).size < some.length;
  if (!numbered) return group.map((one) => ({ name: one.path, members: [member(one)], numbered: false }));
  if (!doubled(group)) return [{ name: group[0]!.name.template, members: group.map(member), numbered: true }];
  // Folders' numbers before the file's own; one that is enough, else all of them.
  const ranked = [...extra].sort((a, b) => Number(slots[a]!.own) - Number(slots[b]!.own) || a - b);
  const by = (list: readonly number[]) => [
    ...groupBy(group, (one) => list.map((slot) => at(one, slot)).join()).values(),
  ];
  const enough = ranked.find((slot) => !by([slot]).some(doubled));
  const cut = enough === undefined ? ranked : [enough];
  // Runs of other settings, "lr=0.001/epoch=1.ckpt", lie in folders that tell them apart where no count does.
  const folderOf = ({ path }: Named<T>) => path.slice(0, path.lastIndexOf('/') + 1);
  const apart = by(cut).flatMap((some): [string, Named<T>[]][] =>
    doubled(some) ? [...groupBy(some, folderOf)] : [['', some]],
  );
  return apart.map(([folder, some]) => {
    const twice = some.find((one, i) => some.slice(0, i).some((other) => keyOf(other) === keyOf(one)));
    if (twice) {
      const other = some.find((one) => keyOf(one) === keyOf(twice))!;
      throw new EpochscopeError(
        'format',
        `${other.path} and ${twice.path} have the same number; say which is meant by a pattern such as "model_{epoch}_{step}.pt"`,
        { path: other.path, other: twice.path },
      );
    }
    const name = literal(some[0]!, cut);
    return {
      name: folder ? folder + name.slice(name.lastIndexOf('/') + 1) : name,
      members: some.map(member),
      numbered: true,
    };
  });
}

/** Whether decimals count rather than measure: three or more, in steps of one size or several of it, from the first step or nothing on. */
function isCounted(values: readonly number[]): boolean {
  const sorted = [...values].sort((a, b) => a - b);
  const steps = sorted.slice(1).map((value, i) => value - sorted[i]!);
  const stride = Math.min(...steps);
  const whole = (value: number) => Math.abs(value / stride - Math.round(value / stride)) < 1e-6;
  return sorted.length > 2 && stride > 0 && sorted[0]! <= 1.01 * stride && sorted.every(whole);
}

/** The template with the numbers that keep this series apart as they are. */
function literal<T>({ name }: Named<T>, kept: readonly number[]): string {
  const counting = name.slots.flatMap((slot, i) => (slot.word === 'series' ? [] : [i]));
  let n = -1;
  return name.template.replace(/(=?)#/g, (sign, pair) => {
    if (pair) return sign;
    n++;
    return kept.includes(counting[n]!) ? String(name.slots[counting[n]!]!.value) : sign;
  });
}

const PLACEHOLDER = { epoch: '\\d{1,15}(?:\\.\\d+)?', step: '\\d{1,15}', series: '[^/]+' } as const;

/** "{series}/model_{epoch}_*.pt" as an expression over whole paths. Throws `argument`. */
function expressionOf(pattern: string): RegExp {
  const seen = new Set<string>();
  const text = pattern.replace(
    /\*\*\/?|\*|\{(\w*)\}|[.+?^$()|[\]\\{}]/g,
    (sign, word: string | undefined) => {
      if (sign.startsWith('**')) return '(?:.*/)?';
      if (sign === '*') return '[^/]*';
      if (word === undefined) return `\\${sign}`;
      guard(
        word in PLACEHOLDER && !seen.has(word),
        'argument',
        () => `pattern: expected {epoch}, {step} and {series}, each at most once, got ${sign}`,
      );
      seen.add(word);
      return `(?<${word}>${PLACEHOLDER[word as keyof typeof PLACEHOLDER]})`;
    },
  );
  guard(
    seen.has('epoch') || seen.has('step'),
    'argument',
    () => `pattern: expected {epoch} or {step} in it, as in "model_{epoch}_{step}.pt", got "${pattern}"`,
  );
  return new RegExp(`^${text}$`);
}

function byPattern<T extends { path: string }>(items: readonly T[], pattern: string): Series<T>[] {
  const expression = expressionOf(pattern.replace(/^\.\//, ''));
  const found = new Map<string, Member<T>[]>();
  for (const item of items) {
    const groups = expression.exec(item.path)?.groups;
    if (!groups) continue;
    const name = pattern.replace('{series}', groups.series ?? '');
    const number = (text: string | undefined) => (text === undefined ? null : Number(text));
    const member = {
      item,
      path: item.path,
      epoch: number(groups.epoch),
      step: number(groups.step),
      metrics: {},
    };
    const own = found.get(name) ?? [];
    const twin = own.find((one) => one.epoch === member.epoch && one.step === member.step);
    guard(
      !twin,
      'format',
      () =>
        `${twin!.path} and ${item.path} have the same number by the pattern ${pattern}; put {step} or {series} into it`,
      { path: item.path },
    );
    found.set(name, [...own, member]);
  }
  guard(
    found.size > 0,
    'missing',
    () =>
      `no weights fit the pattern ${pattern}; there are ${some(items.map(({ path }) => path).sort(byName)) || 'none'}`,
    { pattern },
  );
  return [...found].map(([name, members]) => ({ name, members, numbered: true, family: pattern }));
}
