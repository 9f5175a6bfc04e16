import {
  type GeometryResult,
  listResults,
  type ModulesResult,
  type PruneResult,
  type Run,
  readResult,
  type TendencyResult,
} from '@epochscope/analysis';
import { ivatImage } from '@epochscope/core-wasm';
import { sharedScales } from '@epochscope/ui/drawing';
import { encode } from 'fast-png';
import type { BoardPicture, BoardValue } from './events.js';

export { encodeEvents } from './events.js';

/** Sides of pictures, in pixels. */
const SIDE = 400;

type Snapshot = { id: string; epoch: number | null; step: number | null };

/**
 * What a run holds as TensorBoard's scalars and pictures: the metrics of its snapshots, and of its results what is one number (or one iVAT
 * picture) a snapshot or round. A figure that is `null` is left out.
 */
export async function boardValues(run: Run, directory: string): Promise<BoardValue[]> {
  const places = new Map(run.manifest.snapshots.map(({ id }, place) => [id, place]));
  const stepOf = ({ id, step, epoch }: Snapshot) => step ?? epoch ?? places.get(id) ?? 0;
  const values: BoardValue[] = [];
  const add = (tag: string, step: number, value: number | null | undefined) => {
    if (typeof value === 'number' && Number.isFinite(value)) values.push({ tag, step, value });
  };
  for (const snapshot of run.manifest.snapshots)
    for (const [name, value] of Object.entries(snapshot.metrics))
      add(`metrics/${name}`, stepOf(snapshot), value);
  for (const { method, name, folder } of await listResults(directory)) {
    if (!(method in OF_METHOD)) continue;
    const result = await readResult(directory, folder);
    const group = name === 'default' ? method : `${method} ${name}`;
    OF_METHOD[method as keyof typeof OF_METHOD](result as never, {
      stepOf,
      add: (tag, step, value) => add(`${group}/${tag}`, step, value),
      draw: (tag, step, value) => values.push({ tag: `${group}/${tag}`, step, value }),
    });
  }
  return values;
}

interface Board {
  stepOf(snapshot: Snapshot): number;
  add(tag: string, step: number, value: number | null | undefined): void;
  draw(tag: string, step: number, value: BoardPicture): void;
}

const OF_METHOD = {
  tendency(result: TendencyResult, board: Board) {
    const scaleOf = sharedScales(result.panels, 'ivat');
    for (const panel of result.panels) {
      const step = board.stepOf(panel.snapshot);
      const { blocks, scores } = panel;
      board.add(`${panel.layer}/blocks`, step, blocks.count);
      board.add(`${panel.layer}/share in no block`, step, blocks.shareInNone);
      board.add(`${panel.layer}/clearness`, step, blocks.clearness.value);
      board.add(`${panel.layer}/stability`, step, blocks.stability.value);
      board.add(`${panel.layer}/ARI in blocks`, step, scores.inBlocks.ari.value);
      board.add(`${panel.layer}/ARI overall`, step, scores.overall.ari.value);
      if (panel.n > 1) board.draw(`${panel.layer}/iVAT`, step, pictureOf(panel, scaleOf(panel).high));
    }
  },
  modules(result: ModulesResult, board: Board) {
    for (const { snapshot, clusters, kept } of result.snapshots) {
      board.add('clusters', board.stepOf(snapshot), clusters.length);
      board.add('units that take part', board.stepOf(snapshot), kept.length);
    }
  },
  geometry(result: GeometryResult, board: Board) {
    for (const { snapshot, from, to, k, whole, mean, dimensions } of result.spectra) {
      // Of k alone both are lower bounds.
      const map = `${from} to ${to}${whole ? '' : `, of the ${k} largest`}`;
      board.add(`${map}/largest singular value`, board.stepOf(snapshot), mean[0]);
      board.add(`${map}/singular values from 1 on`, board.stepOf(snapshot), dimensions.atLeastOne.mean);
      board.add(`${map}/effective rank`, board.stepOf(snapshot), dimensions.effectiveRank.mean);
    }
  },
  prune(result: PruneResult, board: Board) {
    for (const { round, removed, left, accuracyAfterRemoval, accuracyAfterRetraining } of result.rounds) {
      board.add('share removed', round, removed.overall);
      board.add('regions left', round, left.regions);
      board.add('accuracy after removal', round, accuracyAfterRemoval.value);
      board.add('accuracy after retraining', round, accuracyAfterRetraining.value);
    }
  },
} satisfies Record<string, (result: never, board: Board) => void>;

/** The iVAT picture in grey, black for 0 and white from `high` on: one scale for a layer's snapshots. */
function pictureOf(panel: TendencyResult['panels'][number], high: number): BoardPicture {
  const side = Math.min(SIDE, panel.n);
  const values = ivatImage(panel, { side });
  const data = Uint8Array.from(values, (value) => Math.round(255 * Math.min(1, high > 0 ? value / high : 0)));
  return {
    png: encode({ data, width: side, height: side, channels: 1, depth: 8 }),
    width: side,
    height: side,
  };
}
