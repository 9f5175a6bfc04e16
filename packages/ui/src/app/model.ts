import type { RunManifest } from '@epochscope/analysis';
import {
  alignedView,
  type SampleImages,
  type TendencyPanel,
  type TendencyResult,
} from '@epochscope/analysis/results';
import { type SharedScale, sharedScales } from '../elements/es-tendency-image/draw.js';
import type { TimelineSnapshot } from '../elements/es-timeline/index.js';
import { letterOf } from './letters.js';

export { letterOf } from './letters.js';

/** What the page knows of a tendency result, looked up by layer and snapshot; all that is derived is kept. */
export class Panels {
  readonly layers: readonly string[];
  private readonly byPlace = new Map<string, TendencyPanel>();
  private readonly alignedOf = new WeakMap<TendencyPanel, TendencyPanel>();
  private readonly scaleOf: (panel: TendencyPanel) => SharedScale;
  private readonly scales = new WeakMap<TendencyPanel, SharedScale>();

  constructor(readonly result: TendencyResult) {
    for (const panel of result.panels) this.byPlace.set(`${panel.layer}\n${panel.snapshot.id}`, panel);
    this.layers = [...new Set(result.panels.map(({ layer }) => layer))];
    this.scaleOf = sharedScales(result.panels, 'ivat');
  }

  /** As it was computed, or in the order aligned with its neighbours. */
  at(layer: string, snapshot: string, aligned = true): TendencyPanel | null {
    const panel = this.byPlace.get(`${layer}\n${snapshot}`);
    if (!panel || !aligned) return panel ?? null;
    let view = this.alignedOf.get(panel);
    if (!view) this.alignedOf.set(panel, (view = alignedView(panel)));
    return view;
  }
  /** Panels of a layer in the order of the snapshots. */
  row(layer: string): TendencyPanel[] {
    return this.result.panels.filter((panel) => panel.layer === layer);
  }
  /** One scale for all snapshots of the layer; a picture whose blocks could not be told on it keeps its own. */
  scale(panel: TendencyPanel): SharedScale {
    let scale = this.scales.get(panel);
    if (!scale) this.scales.set(panel, (scale = this.scaleOf(panel)));
    return scale;
  }
}

const placesOf = new WeakMap<TendencyPanel, Uint32Array>();
/** Where each sample stands in the panel's order: uint32[n]. */
export function placesIn(panel: TendencyPanel): Uint32Array {
  let places = placesOf.get(panel);
  if (!places) {
    places = new Uint32Array(panel.n);
    for (let p = 0; p < panel.n; p++) places[panel.order[p]!] = p;
    placesOf.set(panel, places);
  }
  return places;
}

const membersOf = new WeakMap<TendencyPanel, Map<number, Uint32Array>>();
/** Where the samples of a class stand in the panel's order, ascending. */
export function membersIn(panel: TendencyPanel, labels: Uint32Array | null, label: number): Uint32Array {
  let classes = membersOf.get(panel);
  if (!classes) membersOf.set(panel, (classes = new Map()));
  let found = classes.get(label);
  if (!found) {
    const places: number[] = [];
    for (let p = 0; labels && p < panel.n; p++) if (labels[panel.order[p]!] === label) places.push(p);
    classes.set(label, (found = Uint32Array.from(places)));
  }
  return found;
}

/** What one block holds. */
export interface BlockContent {
  /** A, B, … Z, AA, … */
  letter: string;
  start: number;
  end: number;
  /** [class, samples], most first; empty without labels. */
  classes: readonly (readonly [label: number, count: number])[];
}

const contents = new WeakMap<TendencyPanel, readonly BlockContent[]>();
export function blockContents(panel: TendencyPanel, labels: Uint32Array | null): readonly BlockContent[] {
  const known = contents.get(panel);
  if (known) return known;
  const found = panel.blocks.ranges.map(({ start, end }, b): BlockContent => {
    const counts = new Map<number, number>();
    if (labels)
      for (let p = start; p < end; p++) {
        const label = labels[panel.order[p]!]!;
        counts.set(label, (counts.get(label) ?? 0) + 1);
      }
    return {
      letter: letterOf(b),
      start,
      end,
      classes: [...counts].sort(([a, i], [b, j]) => j - i || a - b),
    };
  });
  contents.set(panel, found);
  return found;
}

/** Mean picture of the samples at positions start … end − 1: float 0 … 1, height × width × channels. */
export function meanImage(
  { data, shape }: SampleImages,
  { order }: TendencyPanel,
  start: number,
  end: number,
): Float32Array {
  const size = shape[1] * shape[2] * shape[3];
  const sum = new Float32Array(size);
  for (let p = start; p < end; p++) {
    const at = order[p]! * size;
    for (let i = 0; i < size; i++) sum[i] = sum[i]! + data[at + i]!;
  }
  const by = 1 / (255 * Math.max(1, end - start));
  for (let i = 0; i < size; i++) sum[i] = sum[i]! * by;
  return sum;
}

/** Index of the block that holds a position; −1 for none. */
export const blockAtPosition = ({ blocks }: TendencyPanel, position: number): number =>
  blocks.ranges.findIndex(({ start, end }) => start <= position && position < end);

/** What a sample is called: "digit 361, a 5". */
export function sampleName(samples: TendencyResult['samples'], sample: number): string {
  const label = samples.labels?.[sample];
  const name = samples.names?.[sample];
  const kind = isDigits(samples.classes) ? 'digit' : 'sample';
  const known = label !== undefined && label !== 0xffffffff;
  const one = samples.indices?.[sample] ?? sample;
  return `${name ?? `${kind} ${one}`}${known ? `, ${classWord(samples.classes, label)}` : ''}`;
}

export const isDigits = (classes: readonly string[] | null | undefined): boolean =>
  classes?.length === 10 && classes.every((name, i) => name === String(i));
/** "an 8", or the class's own name. */
export function classWord(classes: readonly string[] | null | undefined, label: number): string {
  const name = classes?.[label] ?? String(label);
  if (!isDigits(classes)) return name;
  return `${label === 8 ? 'an' : 'a'} ${name}`;
}

/** "LeNet-5", for the names that this project gives. */
const NETS: Record<string, string> = {
  lenet5: 'LeNet-5',
  mlp: 'MLP',
  dbn: 'Deep belief net',
  alexnet: 'AlexNet',
  'cifar-cnn': 'CIFAR CNN',
  transformer: 'Transformer',
};
/** "LeNet-5 on digits" and "8 000 images, 10 epochs, seed 1". */
export function nameOfRun(key: string, manifest: RunManifest | null): { name: string; about: string } {
  if (!manifest) return { name: key, about: '' };
  const training = manifest.training ?? {};
  const net = manifest.model ? (NETS[manifest.model.name] ?? manifest.model.name) : null;
  const data = typeof training.data === 'string' ? training.data.replace(/\s*\(.*$/, '') : null;
  const modulus = /^modular-addition-(\d+)$/.exec(data ?? '')?.[1];
  const on = modulus ? `a + b mod ${modulus}` : data?.startsWith('mnist') ? 'digits' : data;
  const about = [
    typeof training.trainingSamples === 'number'
      ? `${thousands(training.trainingSamples)} ${modulus ? 'pairs' : 'images'}`
      : null,
    typeof training.epochs === 'number'
      ? `${training.epochs} ${training.epochs === 1 ? 'epoch' : 'epochs'}`
      : manifest.snapshots.length
        ? `${manifest.snapshots.length} snapshots`
        : null,
    typeof training.seed === 'number' ? `seed ${training.seed}` : null,
  ].filter((part) => part !== null);
  return { name: net ? (on ? `${net} on ${on}` : net) : key, about: about.join(', ') };
}

/** "8 000": a thin gap from five digits or where asked, as the field writes it. */
export const thousands = (n: number): string => String(n).replace(/\B(?=(\d{3})+(?!\d))/g, '\u2009');

/** The run's snapshots that hold a metric, as pairs of index and value. */
export function metricOf(
  snapshots: readonly (TimelineSnapshot & { metrics?: Record<string, number> })[],
  names: readonly string[],
): { name: string; values: (number | null)[] } | null {
  const name = names.find((one) =>
    snapshots.some(({ metrics }) => typeof metrics?.[one] === 'number' && Number.isFinite(metrics[one])),
  );
  if (!name) return null;
  return {
    name,
    values: snapshots.map(({ metrics }) => {
      const value = metrics?.[name];
      return typeof value === 'number' && Number.isFinite(value) ? value : null;
    }),
  };
}
