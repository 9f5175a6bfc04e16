import type { RunManifest } from '@epochscope/analysis';
import type { SeriesCheckResult, TendencyPanel } from '@epochscope/analysis/results';
import type { TimelineSnapshot } from '../elements/es-timeline/index.js';
import type { Selection } from '../selection.js';
import type { Panels } from './model.js';
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
  | { kind: 'class'; label: number; name: string }
  | { kind: 'unit'; unit: number; layer: string; name: string };

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
