import type { RunManifest } from '@epochscope/analysis';
import type { TimelineSnapshot } from '../elements/es-timeline/index.js';
import type { Panels } from './model.js';
import type { LayerRow, PageSnapshot } from './page.js';

// What of a run the page shows, and in which order.

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

/** The run's snapshots; without a manifest those that the tendency result names. */
export function snapshotsOf(manifest: RunManifest | null, panels: Panels | null): readonly PageSnapshot[] {
  if (manifest?.snapshots.length) return manifest.snapshots;
  const found = new Map<string, PageSnapshot>();
  for (const { snapshot } of panels?.result.panels ?? []) found.set(snapshot.id, snapshot);
  return [...found.values()];
}

const shapeOf = (shape: readonly number[]) =>
  shape.length === 1 ? `${shape[0]} ${shape[0] === 1 ? 'unit' : 'units'}` : shape.join(' × ');

/** The run's layers, channels that were analysed ("P1@3") after theirs, then those that only the result names. */
export function layersOf(manifest: RunManifest | null, panels: Panels | null): LayerRow[] {
  const rows: LayerRow[] = (manifest?.layers ?? []).map(({ name, shape, kind, parameters }, i) => ({
    name,
    about: `${shapeOf(shape)}, ${kind}`,
    gap: i > 0 && parameters.length > 0,
  }));
  for (const name of panels?.layers ?? []) {
    if (rows.some((row) => row.name === name)) continue;
    const panel = panels!.row(name)[0];
    const row: LayerRow = { name, about: `${panel?.d ?? 0} numbers`, gap: false };
    const after = rows.findLastIndex((one) => name.startsWith(`${one.name}@`));
    if (after < 0) rows.push(row);
    else rows.splice(after + 1, 0, row);
  }
  return rows;
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
