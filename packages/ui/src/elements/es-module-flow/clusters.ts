import type { ModuleSnapshot, ModulesResult, Transition } from '@epochscope/analysis/results';
import { snapshotTitle } from '../../styles.js';

/** A cluster that was chosen. */
export interface ChosenCluster {
  snapshot: string;
  /** Number of the cluster in its snapshot, from 0. */
  cluster: number;
}

/** Clusters drawn one by one; the smaller ones stand together as "the rest". */
export interface Shown {
  /** Clusters drawn alone: the first so many, since they are numbered by size. */
  alone: number;
  /** Clusters in the rest; 0 for none. */
  rest: number;
}

export function shownClusters(clusters: number, most: number): Shown {
  // A rest of one would hide nothing and explain less.
  const alone = clusters <= most + 1 ? clusters : most;
  return { alone, rest: clusters - alone };
}

/** Place of a cluster among those drawn: itself, or `alone` for the rest. */
export const placeOf = (cluster: number, { alone }: Shown) => Math.min(cluster, alone);

export const clusterName = (place: number, shown: Shown) =>
  place < shown.alone ? `cluster ${place + 1}` : `the ${shown.rest} smaller clusters`;

/** Units of `from` and `to` shared by each pair of drawn places: keys row * (columns of places) + column. */
export function sharedUnits(t: Transition, from: Shown, to: Shown): Map<number, number> {
  const width = to.alone + 1;
  const cells = new Map<number, number>();
  for (let k = 0; k < t.row.length; k++) {
    const key = placeOf(t.row[k]!, from) * width + placeOf(t.column[k]!, to);
    cells.set(key, (cells.get(key) ?? 0) + t.count[k]!);
  }
  return cells;
}

/** Sums of a list over drawn places. */
export function byPlace(values: ArrayLike<number>, shown: Shown): number[] {
  const out = new Array<number>(shown.alone + (shown.rest ? 1 : 0)).fill(0);
  for (let c = 0; c < values.length; c++) out[placeOf(c, shown)]! += values[c]!;
  return out;
}

/** Units of a chosen cluster; null when there is no such cluster. */
function unitsOf({ snapshots }: Pick<ModulesResult, 'snapshots'>, chosen: ChosenCluster | null) {
  const at = snapshots.find(({ snapshot }) => snapshot.id === chosen?.snapshot);
  if (!chosen || !at || chosen.cluster >= at.clusters.length) return null;
  return new Set(at.kept.filter((_, k) => at.labels[k] === chosen.cluster));
}

/** How many units of a chosen cluster are in each cluster of every snapshot, by snapshot id. */
export function relatives(
  result: Pick<ModulesResult, 'snapshots'>,
  chosen: ChosenCluster | null,
): Map<string, Map<number, number>> | null {
  const units = unitsOf(result, chosen);
  if (!units) return null;
  return new Map(
    result.snapshots.map((s) => {
      const counts = new Map<number, number>();
      for (let k = 0; k < s.kept.length; k++)
        if (units.has(s.kept[k]!)) counts.set(s.labels[k]!, (counts.get(s.labels[k]!) ?? 0) + 1);
      return [s.snapshot.id, counts];
    }),
  );
}

/** Units of a chosen cluster on each band, keyed "snapshot,from,to" by drawn places (−1: no cluster). */
export function followedPairs(
  result: Pick<ModulesResult, 'snapshots'>,
  chosen: ChosenCluster | null,
  shown: readonly Shown[],
): Map<string, number> | null {
  const units = unitsOf(result, chosen);
  if (!units) return null;
  const places = result.snapshots.map((s, i) => {
    const found = new Map<number, number>();
    for (let k = 0; k < s.kept.length; k++)
      if (units.has(s.kept[k]!)) found.set(s.kept[k]!, placeOf(s.labels[k]!, shown[i]!));
    return found;
  });
  const pairs = new Map<string, number>();
  for (let s = 0; s + 1 < places.length; s++)
    for (const unit of units) {
      const key = [s, places[s]!.get(unit) ?? -1, places[s + 1]!.get(unit) ?? -1].join();
      pairs.set(key, (pairs.get(key) ?? 0) + 1);
    }
  return pairs;
}

export const titleOf = ({ snapshot }: ModuleSnapshot) => snapshotTitle(snapshot);
export const percent = (share: number) => `${Number((100 * share).toFixed(1))} %`;
