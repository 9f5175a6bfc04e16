import type { RunManifest, Tensor } from '@epochscope/analysis';
import {
  decodeAny,
  inlineBytes,
  type LoadSamples,
  outlineOf,
  type ResultBase,
  type SampleImages,
} from '@epochscope/analysis/results';

import type { Computing } from './jobs.js';
import type { LiveFrame, TrainingData, TrainingOptions, TrainingProgress } from './work/types.js';

/** Which result: its folder under results/. */
export interface ResultName {
  method: string;
  name: string;
  /** Changes when the result is replaced. */
  version: string;
}
export const resultId = ({ method, name }: { method: string; name: string }): string => `${method}/${name}`;

export interface RunEntry {
  key: string;
  title: string;
  /** Why it cannot be read. */
  problem: string | null;
}

export interface RunInfo {
  key: string;
  manifest: RunManifest | null;
  warnings: string[];
  results: ResultName[];
}

/** A training that a page follows or does: how far it is, and its last layer now. Fires `change` on `events`. */
export interface LiveTraining {
  readonly events: EventTarget;
  /** drawing: the last pictures, after the training. */
  readonly state: 'running' | 'paused' | 'drawing' | 'done';
  readonly progress: TrainingProgress | null;
  readonly problem: string;
  readonly frame: LiveFrame | null;
  readonly options: TrainingOptions;
  readonly data: TrainingData;
  /** Snapshots that the run will have, where that is known. */
  readonly planned: number;
  go(steps?: number | null): Promise<void>;
  pause(): void;
}
export const isTraining = (source: RunSource): source is RunSource & LiveTraining => 'go' in source;

/**
 * Where the dashboard takes runs and results from. Two of them make it the same page: `InlineSource` reads what stands in
 * the page itself (a report opened from disk), `HttpSource` asks `epochscope serve`.
 */
export interface RunSource {
  runs(): Promise<RunEntry[]>;
  run(key: string): Promise<RunInfo>;
  result(key: string, name: ResultName): Promise<ResultBase>;
  /** All tensors of a snapshot. Absent where weights are not to be had, as in a page opened from disk. */
  weights?(key: string, snapshot: string): Promise<Map<string, Tensor>>;
  /** Calls `changed` when the run or its results change; returns how to stop. Absent where nothing changes. */
  watch?(key: string, changed: () => void): () => void;
  /** Whether the place still answers, where that can end; `reachable` fires `change`. */
  readonly alive?: boolean;
  readonly reachable?: EventTarget;
  /** Said below each result, with its parameters. */
  readonly note?: string;
  /** Computes results of its runs in this page. Absent where the page cannot. */
  readonly computing?: Computing;
  /** A result was written into a run: whoever watches it is told. */
  changed?(key: string): void;
}

export interface PageData {
  title: string;
  /** The run's name; default the title. */
  name?: string;
  /** ISO date. */
  written: string;
  manifest: RunManifest | null;
}

/** Images of a run's samples as they stand in a page: of `rows`, or of all from the first on. */
interface PageSamples extends ResultBase {
  images: SampleImages;
  rows: Uint32Array | null;
}

/** What `page.ts` of the CLI puts into the self-contained page; nothing is decoded before it is asked for. */
export class InlineSource implements RunSource {
  private readonly pages = new Map<string, PageData>();
  private readonly texts = new Map<string, Map<string, { name: ResultName; text: string }>>();
  private readonly decoded = new Map<string, Promise<ResultBase>>();
  private readonly sampleTexts = new Map<string, string>();
  private readonly samples = new Map<string, Promise<PageSamples>>();

  /** What of these results is not as it was computed. */
  readonly note =
    'VAT pictures, centroids and singular vectors stand in this page with 256 levels of each value; the run’s folder holds all digits.';

  constructor(root: ParentNode) {
    for (const script of root.querySelectorAll<HTMLScriptElement>('script.epochscope-run, #epochscope-run')) {
      const key = script.dataset.run ?? '';
      this.pages.set(key, JSON.parse(script.textContent!) as PageData);
      this.texts.set(key, new Map());
    }
    for (const script of root.querySelectorAll<HTMLScriptElement>('script.epochscope-samples'))
      this.sampleTexts.set(script.dataset.run ?? '', script.textContent!);
    for (const script of root.querySelectorAll<HTMLScriptElement>('script.epochscope-result')) {
      const text = script.textContent!;
      const key = script.dataset.run ?? '';
      const { method, name } = script.dataset.method === undefined ? outline(text) : script.dataset;
      const one = { method: method!, name: name ?? '', version: '' };
      this.texts.get(key)?.set(resultId(one), { name: one, text });
    }
  }

  /** The images that results refer to: they stand once a run in the page. */
  private samplesOf(key: string): LoadSamples {
    return async ({ rows, shape }) => {
      const text = this.sampleTexts.get(key);
      if (text === undefined) return null;
      let known = this.samples.get(key);
      if (!known) {
        known = unpacked(text).then((bytes) => decodeAny<PageSamples>(bytes, 'samples'));
        this.samples.set(key, known);
      }
      const { images, rows: there } = await known;
      const places = there && new Map(Array.from(there, (row, i) => [row, i]));
      const side = images.data.length / images.shape[0];
      const data = new Uint8Array(shape[0] * side);
      for (let i = 0; i < shape[0]; i++) {
        const row = rows ? rows[i]! : i;
        const place = places ? places.get(row) : row;
        if (place === undefined) return null;
        data.set(images.data.subarray(place * side, (place + 1) * side), i * side);
      }
      return { data, shape };
    };
  }

  get first(): PageData | null {
    return this.pages.values().next().value ?? null;
  }
  async runs(): Promise<RunEntry[]> {
    return [...this.pages].map(([key, { title, name }]) => ({ key, title: name ?? title, problem: null }));
  }
  async run(key: string): Promise<RunInfo> {
    const page = this.pages.get(key);
    if (!page) throw new Error(`this page holds no run ${JSON.stringify(key)}`);
    return {
      key,
      manifest: page.manifest,
      warnings: [],
      results: [...this.texts.get(key)!.values()].map(({ name }) => name),
    };
  }
  private textOf(key: string, name: ResultName): string {
    const found = this.texts.get(key)?.get(resultId(name));
    if (!found) throw new Error(`this page holds no result ${resultId(name)}`);
    return found.text;
  }
  result(key: string, name: ResultName): Promise<ResultBase> {
    const id = `${key}\n${resultId(name)}`;
    let found = this.decoded.get(id);
    if (!found) {
      // One turn of the loop first, so that the waiting state is drawn before a large result is decoded.
      found = new Promise((resolve) => setTimeout(resolve))
        .then(() => unpacked(this.textOf(key, name)))
        .then((bytes) => decodeAny(bytes, resultId(name), { samples: this.samplesOf(key) }));
      this.decoded.set(id, found);
    }
    return found;
  }
}

/** A result as the page holds it, without its packing. JSON of version 1 stays text. */
async function unpacked(text: string): Promise<Uint8Array | string> {
  if (text.trimStart().startsWith('{')) return text;
  const bytes = inlineBytes(text);
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  const stream = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream();
  return new Uint8Array(
    await new Response(stream.pipeThrough(new DecompressionStream('gzip'))).arrayBuffer(),
  );
}

/** The JSON of a result as it stands in a page: base64 of one file, or JSON as version 1 wrote it. */
const outline = (text: string): ResultBase =>
  text.trimStart().startsWith('{') ? JSON.parse(text) : outlineOf(inlineBytes(text)).outline;
