/**
 * What is chosen, one for the whole page: every view shows it where it can and changes it by firing `es-select` with the
 * fields it knows. A missing field means "leave as it is", `null` means "nothing chosen".
 */
export interface Selection {
  /** Snapshot id. */
  snapshot?: string | null;
  layer?: string | null;
  /** Class label. */
  class?: number | null;
  /** Index of an analysis sample. */
  sample?: number | null;
  /** Unit or channel of the layer. */
  unit?: number | null;
  /** Cluster of units at the snapshot, as modules count them. */
  cluster?: number | null;
  /** Round of pruning. */
  round?: number | null;
}

/** The selection with a change put in. Other fields of an event's detail are left out; the same object when nothing changed. */
export function mergeSelection(now: Selection, change: Selection): Selection {
  const keys = ['snapshot', 'layer', 'class', 'sample', 'unit', 'cluster', 'round'] as const;
  const changed = keys.filter((key) => change[key] !== undefined && change[key] !== now[key]);
  if (!changed.length) return now;
  return { ...now, ...Object.fromEntries(changed.map((key) => [key, change[key]])) };
}
