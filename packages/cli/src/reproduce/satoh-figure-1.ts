import { createEngine, openRun, type TendencyPanel, type TendencyResult } from '@epochscope/analysis';
import { panelScene, paperScene, provenance } from '@epochscope/ui/drawing';
import type { Picture } from '../pictures/index.js';

const SIDE = 512;
const GAP = 24;

/**
 * The paper's figure 1: on the left the matrix of dissimilarities in the order of the samples, on the right its iVAT. The matrix is drawn
 * from the run's outputs, which the analysis has left in it.
 */
export async function figureOne(
  run: string,
  result: TendencyResult,
  panel: TendencyPanel,
  seed: number,
): Promise<Picture> {
  const all = await (await openRun(run)).outputs(panel.snapshot.id, panel.layer);
  const width = all.shape[1];
  const outputs = {
    data: all.data.subarray(0, panel.n * width),
    shape: [panel.n, width] as [number, number],
  };
  const engine = createEngine();
  const vat = await engine
    .vatImage(
      outputs,
      Uint32Array.from({ length: panel.n }, (_, i) => i),
      {
        metric: 'euclidean',
        side: Math.min(SIDE, panel.n),
        seed,
      },
    )
    .finally(() => engine.close());
  const captions = () => ({
    title: 'Dissimilarities of samples, and their iVAT picture',
    caption: `Left: Euclidean distances of the outputs of ${panel.layer} at epoch ${panel.snapshot.epoch}, in the order of the samples; right: the same samples by iVAT. Dark = similar. ${provenance(result)}`,
  });
  return {
    name: 'figure-1',
    figure: {
      captions,
      toScene(measure, options) {
        const whole = (options.width ?? 640) - 16;
        const side = Math.floor((whole - GAP) / 2);
        const own = { side, density: 3, markColor: 'none' as const, outlines: 'none' as const };
        const left = panelScene({ ...panel, vat }, { ...own, mode: 'vat' });
        const right = panelScene(panel, { ...own, mode: 'ivat' });
        return paperScene(
          {
            width: whole,
            height: side,
            items: [
              { kind: 'group', x: 0, y: 0, items: left.items },
              { kind: 'group', x: side + GAP, y: 0, items: right.items },
            ],
          },
          { measure, ...captions(), ...options },
        );
      },
    },
  };
}
