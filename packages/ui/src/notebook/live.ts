import type { TendencyMetric } from '@epochscope/analysis/methods';
import { encodeBinary, type TendencyResult } from '@epochscope/analysis/results';
import type { EsMetrics, MetricSnapshot } from '../elements/es-metrics/index.js';
import { tendencyOfPoints } from './compute.js';
import { bytesOf, type Message, pythonListens, sendBytes } from './model.js';
import { Widget } from './widget.js';

/** One layer's outputs at one snapshot, as Python sent them. */
interface Frame {
  snapshot: MetricSnapshot;
  layer: string;
  rows: Uint8Array<ArrayBuffer>;
}

/** Without news for so long the picture is sent to be kept. */
const QUIET_MS = 1500;

/** A run that is being recorded: a picture of each snapshot as it comes, and the metrics. */
export class LiveWidget extends Widget {
  private readonly waiting: Frame[] = [];
  private readonly snapshots = new Map<string, MetricSnapshot>();
  private readonly charts: EsMetrics[] = [];
  private expected = 0;
  private working: Promise<void> | null = null;
  private quiet: ReturnType<typeof setTimeout> | undefined;

  override async start(): Promise<void> {
    // What came before this was loaded is sent again.
    this.model.send({ type: 'missing', from: 0 });
  }

  override told({ type, index, snapshot, layers }: Message, buffers: DataView[]): void {
    if (type !== 'frame') return;
    if ((index as number) > this.expected) this.model.send({ type: 'missing', from: this.expected });
    if ((index as number) !== this.expected) return;
    this.expected++;
    const one = snapshot as MetricSnapshot;
    this.snapshots.set(one.id, one);
    for (const chart of this.charts) chart.data = [...this.snapshots.values()];
    for (const [i, layer] of (layers as string[]).entries())
      this.waiting.push({ snapshot: one, layer, rows: bytesOf(buffers[i])! });
    this.working ??= this.work().finally(() => {
      this.working = null;
    });
  }

  private async work(): Promise<void> {
    const options = this.model.get('_options') as {
      metric: TendencyMetric;
      seed: number;
      classes: string[] | null;
    };
    for (let frame = this.waiting.shift(); frame; frame = this.waiting.shift()) {
      const { snapshot, layer, rows } = frame;
      try {
        const of = await tendencyOfPoints(
          {
            name: layer,
            rows,
            labels: bytesOf(this.model.get('_labels')),
            predictions: null,
            metric: options.metric,
            missing: false,
            seed: options.seed,
            smallestBlock: null,
          },
          () => {},
        );
        await this.add(of, snapshot, layer, options.classes);
      } catch (error) {
        this.model.send({
          type: 'problem',
          message: `${snapshot.id}, ${layer}: ${(error as Error).message}`,
        });
      }
    }
    clearTimeout(this.quiet);
    this.quiet = setTimeout(() => void this.settle(), QUIET_MS);
  }

  private async add(of: TendencyResult, snapshot: MetricSnapshot, layer: string, classes: string[] | null) {
    const { id, epoch, step } = snapshot;
    const panel = { ...of.panels[0]!, layer, snapshot: { id, epoch, step } };
    const before = this.result as TendencyResult | null;
    await this.show(
      {
        ...of,
        input: { source: String((this.model.get('_options') as { name: string }).name), files: {} },
        samples: { ...of.samples, classes: classes ?? of.samples.classes },
        panels: [...(before?.panels ?? []), panel],
      } as TendencyResult,
      false,
    );
  }

  private async settle(): Promise<void> {
    if (!this.result || this.working) return;
    await pythonListens(this.model);
    sendBytes(this.model, 'result', encodeBinary(this.result));
    await this.sendPicture();
  }

  protected override above(): HTMLElement[] {
    const chart = Object.assign(document.createElement('es-metrics') as EsMetrics, {
      data: [...this.snapshots.values()],
    });
    this.charts.push(chart);
    return [chart];
  }
}
