import { NO_CLASS } from '../tendency/types.js';
import type { Difference, DifferenceResult, Side, Witness } from './types.js';

/**
 * The longest bars of one side, the longest first, with the groups they are about; equal lengths by height. Only those whose smaller group has
 * at least `smallest` samples, so that outliers do not crowd out groups; default a hundredth of all, or where no bar has so many, 1.
 */
export function longestBars(
  { order, joins }: Difference,
  side: 0 | 1,
  count: number,
  smallest?: number,
): Witness[] {
  const { height, apart, start, middle, end } = joins;
  const length = (k: number) => apart[side][k]! - height[k]!;
  const atLeast = (least: number) => {
    const found: number[] = [];
    for (let k = 0; k < height.length; k++)
      if (length(k) > 0 && Math.min(middle[k]! - start[k]!, end[k]! - middle[k]!) >= least) found.push(k);
    return found;
  };
  let bars = atLeast(smallest ?? Math.ceil(order.length / 100));
  if (!bars.length && smallest === undefined) bars = atLeast(1);
  return bars
    .sort((j, k) => length(k) - length(j) || j - k)
    .slice(0, count)
    .map((k) => {
      const first = order.slice(start[k]!, middle[k]!);
      const second = order.slice(middle[k]!, end[k]!);
      const [small, large] = first.length <= second.length ? [first, second] : [second, first];
      return {
        join: k,
        side,
        from: height[k]!,
        to: apart[side][k]!,
        pair: [joins.from[k]!, joins.to[k]!],
        small,
        large,
      };
    });
}

type Samples = Pick<DifferenceResult['samples'], 'labels' | 'classes'>;

/** What a snapshot is called in a sentence: its id, unless told otherwise. */
type SnapshotName = (snapshot: Side['snapshot']) => string;
const byId: SnapshotName = ({ id }) => id;

const named = ({ snapshot, layer, source }: Side, other: Side, nameOf: SnapshotName): string =>
  source !== other.source ? source : snapshot.id !== other.snapshot.id ? nameOf(snapshot) : layer;

const figure = (value: number) => Number(value.toPrecision(3)).toString();

/** "distance 41.2: epoch-10 keeps apart 30.1 that epoch-1 joins, epoch-1 52.3 that epoch-10 joins; CKA 0.83". */
export function differenceSentence(
  { sides, distance, oneWay, cka }: Difference,
  nameOf: SnapshotName = byId,
): string {
  if (distance.value === null) return `no distance: ${distance.reason}`;
  const [a, b] = [named(sides[0], sides[1], nameOf), named(sides[1], sides[0], nameOf)];
  return [
    `distance ${figure(distance.value)}: ${a} keeps apart ${figure(oneWay[0])} that ${b} joins, ${b} ${figure(oneWay[1])} that ${a} joins`,
    cka.value === null ? `no CKA: ${cka.reason}` : `CKA ${cka.value.toFixed(3)}`,
  ].join('; ');
}

/** "epoch-10 keeps these 48 samples (47 of class 5) apart from 1200 (of class 8: 98 %) up to 0.61, epoch-1 joins them at 0.22 through samples 17 (5) and 93 (8)". */
export function witnessSentence(
  { sides }: Difference,
  witness: Witness,
  samples: Samples,
  nameOf: SnapshotName = byId,
): string {
  const { labels, classes } = samples;
  const [own, other] = [sides[witness.side], sides[1 - witness.side]!];
  const className = (label: number) =>
    label === NO_CLASS ? 'no class' : (classes?.[label] ?? `class ${label}`);
  const group = (members: Uint32Array) => {
    const size = `${members.length} ${members.length === 1 ? 'sample' : 'samples'}`;
    if (!labels) return size;
    const counts = new Map<number, number>();
    for (const sample of members) counts.set(labels[sample]!, (counts.get(labels[sample]!) ?? 0) + 1);
    const [label, count] = [...counts].sort((x, y) => y[1] - x[1] || x[0] - y[0])[0]!;
    return count === members.length
      ? `${size}, all of ${className(label)},`
      : `${size}, ${count} of ${className(label)},`;
  };
  const sample = (i: number) => (labels ? `${i} (${className(labels[i]!)})` : `${i}`);
  const [u, v] = witness.pair;
  return (
    `${named(own, other, nameOf)} keeps ${group(witness.small)} apart from ${group(witness.large)} up to ${figure(witness.to)}; ` +
    `${named(other, own, nameOf)} joins them at ${figure(witness.from)} through samples ${sample(u)} and ${sample(v)}`
  );
}
