import type { Engine, Store } from '@epochscope/analysis';
import {
  alignOrder,
  analyseActivity,
  analyseTendency,
  geometryOfInput,
  orderCorrelation,
  summariseSpectrum,
} from '@epochscope/analysis/methods';
import {
  captureOutputs,
  type Dataset,
  GraphRunner,
  graphOfModel,
  type Net,
  prepareTf,
  readPredictions,
  type TrainProgress,
} from '@epochscope/analysis/models';
import type { TendencyPanel } from '@epochscope/analysis/results';
import { trainRun } from '@epochscope/analysis/workflows';
import {
  type LiveFrame,
  type LiveSamples,
  PICTURES_SHARE,
  snapshotSteps,
  type TrainingOptions,
  type TrainingProgress,
} from './types.js';

// A training in the page: the run that `epochscope train` makes with the same options, and pictures of its last layer on the way.

/** A picture between two snapshots is drawn when the last one is so old, in milliseconds. */
const STALE = 1200;
/** Every so many pictures the spectrum is taken too. */
const SPECTRUM_EVERY = 4;
/** Test samples that it is a mean over. */
const SPECTRUM_INPUTS = 3;

const stepsOf = ({ batchSize }: TrainingOptions, data: Dataset): number =>
  Math.ceil(data.train.count / batchSize);

/** One training and its pictures; trains on from where it was stopped. */
export class Training {
  private readonly every: number;
  private readonly stepsPerEpoch: number;
  /** Of which pictures are drawn: the first test samples. */
  readonly samples: LiveSamples;
  private last: TendencyPanel | null = null;
  private spectrum: LiveFrame['spectrum'] = null;
  private frames = 0;
  /** Milliseconds of training with pictures, and of pictures. */
  private time = 0;
  private pictures = 0;
  /** What the last one took. */
  private took = 0;
  private drawnAt = Number.NEGATIVE_INFINITY;
  private toldAt = Number.NEGATIVE_INFINITY;
  private steps = 0;

  constructor(
    private readonly store: Store,
    private readonly data: Dataset,
    private readonly options: TrainingOptions,
    private readonly engine: Engine,
  ) {
    this.stepsPerEpoch = stepsOf(options, data);
    this.every = snapshotSteps(this.stepsPerEpoch, options.epochs);
    const count = Math.min(options.samples, data.test.count);
    const size = data.test.images.length / data.test.count;
    this.samples = {
      count,
      images: { data: data.test.images.slice(0, count * size), shape: [count, ...data.shape] },
      labels: Uint32Array.from(data.test.labels.subarray(0, count)),
      classes: data.classes,
    };
  }

  /** Trains to the end, `signal`, or so many steps. Returns whether it is done. */
  async go(
    steps: number | null,
    signal: AbortSignal,
    tell: (event: { training: TrainingProgress } | { frame: LiveFrame }) => void,
  ): Promise<boolean> {
    const { net, epochs, batchSize, learningRate, noise, weightDecay, seed, samples } = this.options;
    const enough = new AbortController();
    let done = 0;
    let before = performance.now();
    let untold: TrainingProgress | null = null;
    try {
      await trainRun(
        this.store,
        this.data,
        {
          model: { name: net, seed },
          epochs,
          batchSize,
          learningRate,
          ...(net === 'transformer' ? { weightDecay } : {}),
          noise,
          seed,
          samples,
          snapshots: { init: true, everySteps: this.every },
        },
        {
          signal: AbortSignal.any([signal, enough.signal]),
          // Also kept when it is stopped, which is when it is needed.
          stateSeconds: 60,
          onStep: (progress, now) => {
            done++;
            this.steps++;
            this.time += performance.now() - before;
            before = performance.now();
            const secondsLeft =
              this.steps > 20 ? ((progress.steps - progress.step) * this.time) / this.steps / 1000 : null;
            untold = { ...progress, secondsLeft, picturesShare: this.pictures / this.time };
            // People read a few a second.
            if (before - this.toldAt > 150 || done === steps) {
              this.toldAt = before;
              tell({ training: untold });
              untold = null;
            }
            if (done === steps) enough.abort();
            if (done !== steps && !this.due(progress)) return undefined;
            return this.frame(progress, now as Net).then((frame) => {
              tell({ frame });
              this.took = performance.now() - before;
              this.pictures += this.took;
              this.time += this.took;
              this.drawnAt = before = performance.now();
              // With the last picture in it.
              if (progress.step === progress.steps)
                tell({ training: { ...progress, secondsLeft, picturesShare: this.pictures / this.time } });
            });
          },
        },
      );
      return true;
    } catch (cause) {
      if (enough.signal.aborted && !signal.aborted) return false;
      throw cause;
    } finally {
      // A short training, or one that is stopped, would else be left at a step before its last.
      const last = untold as TrainingProgress | null;
      if (last) tell({ training: last });
    }
  }

  /** At once, and then where one more that takes as long as the last keeps within their share: at snapshots, or when the last one is old. */
  private due({ step, steps }: TrainProgress): boolean {
    if (!this.frames || step === steps) return true;
    if (this.pictures + this.took > PICTURES_SHARE * (this.time + this.took)) return false;
    return step % this.every === 0 || performance.now() - this.drawnAt > STALE;
  }

  private async frame({ epoch, step, steps, loss }: TrainProgress, net: Net): Promise<LiveFrame> {
    const tf = await prepareTf();
    const { count, labels, classes } = this.samples;
    const images = this.samples.images.data;
    const { shape } = this.data;
    const layer = net.layers.at(-1)!.name;
    const whole = step % this.stepsPerEpoch === 0;
    const snapshot = {
      // As the run names its snapshots; others are this moment's.
      id: whole ? `epoch-${String(epoch).padStart(4, '0')}` : `step-${String(step).padStart(8, '0')}`,
      epoch: whole ? epoch : null,
      step,
    };
    const inputs = { data: images, shape: [count, ...shape], dtype: 'uint8' as const };
    const { data } = (await captureOutputs(tf, net, inputs, { layers: [layer] })).get(layer)!;
    const outputs = { data, shape: [count, classes.length] as const };
    const { predictions, logLikelihood } = readPredictions(outputs, labels);
    let panel = await analyseTendency(
      this.engine,
      { snapshot, layer, outputs, labels, predictions, logLikelihood },
      // Neither marks, a stored image nor stability: they take longer than all else.
      { metric: 'euclidean', marks: [], vatSide: 0, stabilitySubsets: 0, seed: 1 },
    );
    const before = this.last?.aligned?.order ?? this.last?.order;
    if (before) {
      const aligned = alignOrder(panel, before);
      panel = {
        ...panel,
        aligned: {
          ...aligned,
          reference: this.last!.snapshot.id,
          correlation: orderCorrelation(aligned.order, before),
          before: orderCorrelation(panel.order, before),
        },
      };
    }
    this.last = panel;
    const activity = analyseActivity({
      snapshot,
      layer,
      outputs: { data: data.map(Math.exp), shape: outputs.shape },
      filters: classes.length,
      inputs: {
        data: Float32Array.from(images, (byte) => byte / 255),
        shape: [count, images.length / count],
      },
      labels,
      // Of all samples, also those that are read wrong: at first nearly all are.
      predictions: labels,
      // With few samples of many classes, those that there are.
      classes: 1 + labels.reduce((most, label) => Math.max(most, label), 0),
    });
    if (this.frames++ % SPECTRUM_EVERY === 0) this.spectrum = await this.spectrumOf(net, snapshot, layer);
    let right = 0;
    for (let i = 0; i < count; i++) right += Number(predictions[i] === labels[i]);
    return {
      panel,
      predictions,
      loss,
      right: right / count,
      activity,
      spectrum: this.spectrum,
      kept: step === steps || step % this.every === 0,
    };
  }

  private async spectrumOf(
    net: Net,
    snapshot: TendencyPanel['snapshot'],
    layer: string,
  ): Promise<LiveFrame['spectrum']> {
    const runner = new GraphRunner(await prepareTf(), graphOfModel(net.model));
    const { shape, classes } = this.data;
    const [rows, columns] = [classes.length, shape[0] * shape[1] * shape[2]];
    try {
      const inputs = [];
      for (let i = 0; i < Math.min(SPECTRUM_INPUTS, this.samples.count); i++) {
        const x = Float32Array.from(
          this.samples.images.data.subarray(i * columns, (i + 1) * columns),
          (byte) => byte / 255,
        );
        const at = runner.at(x);
        try {
          inputs.push(
            await geometryOfInput(
              this.engine,
              {
                rows,
                columns,
                jvp: async (v, n) => at.jvp(v, n, 'input', layer),
                vjp: async (u, n) => at.vjp(u, n, 'input', layer),
              },
              { k: rows, seed: 1, input: i, pictures: 0 },
            ),
          );
        } finally {
          at.dispose();
        }
      }
      const place = {
        snapshot,
        kind: 'depth' as const,
        from: 'input',
        to: layer,
        rows,
        columns,
        rowShape: [rows],
        columnShape: [...shape],
      };
      return summariseSpectrum(place, inputs, 0);
    } finally {
      runner.dispose();
    }
  }
}
