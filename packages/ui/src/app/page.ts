import type { RunManifest } from '@epochscope/analysis';
import type {
  LocatedPanel,
  LocateResult,
  SeriesCheckResult,
  TendencyPanel,
} from '@epochscope/analysis/results';
import type { TimelineSnapshot } from '../elements/es-timeline/index.js';
import type { Selection } from '../selection.js';
import { membersIn, type Panels, placesIn } from './model.js';
import type { RunInfo, RunSource } from './source.js';
import type { Store } from './state.js';

export type PageSnapshot = TimelineSnapshot & { metrics?: Record<string, number> };

/** A row of the strip. */
export interface LayerRow {
  name: string;
  /** "84 units", "28 × 28 × 6". */
  about: string;
  /** Begins a new stage of the net: after what reduces or mixes. */
  gap: boolean;
}

/** What is followed through all pictures. */
export type Followed =
  | { kind: 'sample'; sample: number; name: string }
  /** One that the run does not hold, by where it was found. */
  | { kind: 'new'; name: string; result: LocateResult }
  | { kind: 'class'; label: number; name: string }
  /** `modules`: where the run's units were put together, its module at each snapshot. */
  | {
      kind: 'unit';
      unit: number;
      layer: string;
      name: string;
      modules: ReadonlyMap<string, UnitModule> | null;
    };

/** A unit among the modules of a snapshot. */
export interface UnitModule {
  /** Number of its cluster and how many units that has; null for a unit that took no part. */
  cluster: number | null;
  size: number;
  /** Clusters matched over the snapshots have one number. */
  track: number | null;
  /** Why it took no part. */
  reason: string;
}

/** Everything the parts of the page draw from, and what they may do. Made anew at each drawing; cheap. */
export interface Page {
  source: RunSource;
  store: Store;
  info: RunInfo;
  manifest: RunManifest | null;
  /** Of the run; those that its results name where there is no manifest. */
  snapshots: readonly PageSnapshot[];
  /** Index of the one shown; −1 for one that is not the run's. */
  at: number;
  snapshot: PageSnapshot | null;
  layers: readonly LayerRow[];
  /** The layer shown: the chosen one, else the last that was analysed. */
  layer: string | null;
  /** The tendency result behind the pictures; null while it loads or where there is none. */
  panels: Panels | null;
  /** Why there are none. */
  panelsProblem: string;
  panelsWaiting: boolean;
  panel: TendencyPanel | null;
  /** What the check of the series found, where it was done. */
  check: SeriesCheckResult | null;
  followed: Followed | null;
  /** What the pointer is on, in any figure: shown like what is followed, while it is there. */
  pointed: Followed | null;
  point(at: Selection | null): void;
  dark: boolean;
  /** Pink: what is followed, on canvases. */
  followColour: string;
  playing: boolean;
  play(on: boolean): void;
  goTo(index: number, how?: 'push' | 'replace'): void;
  select(change: Selection): void;
  /** Whether results of this tab's methods are there, for its dot. */
  has(tab: string): boolean;
  update(): void;
}

/** White end of a panel's picture. */
export const highOf = (
  { store, panels }: Page,
  panel: TendencyPanel,
  own: (panel: TendencyPanel) => number,
) => (store.state.ownScale ? own(panel) : panels!.scale(panel).high);

/** Where a new sample is among those of a panel; null where that was not computed. */
export const locatedIn = (result: LocateResult, { layer, snapshot }: TendencyPanel): LocatedPanel | null =>
  result.panels.find((one) => one.layer === layer && one.snapshot.id === snapshot.id) ?? null;
/** The run's sample that stands for what is followed: itself, or the nearest to a new one. */
export function standsFor(followed: Followed | null, panel: TendencyPanel): number | null {
  if (followed?.kind === 'sample') return followed.sample;
  return followed?.kind === 'new' ? (locatedIn(followed.result, panel)?.nearest[0] ?? null) : null;
}

/** Positions of what is followed in a panel's order: of the sample, or of a class's members; null where that says nothing. */
export function followedIn(page: Page, panel: TendencyPanel): readonly number[] | Uint32Array | null {
  const { panels } = page;
  const followed = page.pointed && page.pointed.kind !== 'unit' ? page.pointed : page.followed;
  const one = standsFor(followed, panel);
  if (one !== null && one < panel.n) return [placesIn(panel)[one]!];
  if (followed?.kind === 'class') return membersIn(panel, panels!.result.samples.labels, followed.label);
  return null;
}
