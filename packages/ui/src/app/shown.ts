import type { RunManifest } from '@epochscope/analysis';
import type { OverviewCell } from '../elements/es-run-overview/index.js';
import type { TimelineSnapshot } from '../elements/es-timeline/index.js';

// What of a run the dashboard shows, and in which order.

/** With more snapshots than this, the list to compare with holds so many evenly spaced ones; any other by the address. */
const OFFERED = 200;
export function offered(
  snapshots: readonly TimelineSnapshot[],
  chosen: string | undefined,
): readonly TimelineSnapshot[] {
  if (snapshots.length <= OFFERED) return snapshots;
  const step = (snapshots.length - 1) / (OFFERED - 1);
  const keep = new Set(Array.from({ length: OFFERED }, (_, i) => Math.round(i * step)));
  return snapshots.filter(({ id }, i) => keep.has(i) || id === chosen);
}

/** Panels in the order of the papers, then what is not known here. */
const METHODS = ['tendency', 'modules', 'change', 'tracks', 'activity', 'geometry', 'prune'];
export const placeOf = (method: string): number =>
  METHODS.includes(method) ? METHODS.indexOf(method) : METHODS.length;

/** The run's snapshots; without a manifest those that its results name. */
export function snapshotsOf(
  manifest: RunManifest | null,
  cells: readonly OverviewCell[],
): readonly TimelineSnapshot[] {
  if (manifest?.snapshots.length) return manifest.snapshots;
  return [...new Set(cells.map(({ snapshot }) => snapshot))].map((id) => ({ id, epoch: null, step: null }));
}

/** The run's layers, then those that only results name. */
export function layersOf(manifest: RunManifest | null, cells: readonly OverviewCell[]): string[] {
  const named = manifest?.layers.map(({ name }) => name) ?? [];
  // Channels ("P1@3") stand after their layer.
  const extra = [...new Set(cells.map(({ layer }) => layer))].filter((layer) => !named.includes(layer));
  const out = named.flatMap((name) => [name, ...extra.filter((layer) => layer.startsWith(`${name}@`))]);
  return [...out, ...extra.filter((layer) => !out.includes(layer))];
}

/** The other run's snapshot at the same id, epoch or step. */
export function counterpart(
  manifest: RunManifest | null,
  snapshots: readonly TimelineSnapshot[],
  id: string | null | undefined,
): string | null {
  const here = snapshots.find((snapshot) => snapshot.id === id);
  const theirs = manifest?.snapshots ?? [];
  const found =
    theirs.find((one) => one.id === id) ??
    (here?.epoch != null ? theirs.find((one) => one.epoch === here.epoch) : undefined) ??
    (here?.step != null ? theirs.find((one) => one.step === here.step) : undefined);
  return found?.id ?? null;
}
