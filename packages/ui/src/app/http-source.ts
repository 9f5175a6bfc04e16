import type { Tensor } from '@epochscope/analysis';
import {
  type ApiProblem,
  type ApiRun,
  type ApiRunList,
  type ApiSnapshot,
  apiPaths,
} from '@epochscope/analysis/api';
import { bytesSource, httpSource, readSafetensors } from '@epochscope/analysis/formats';
import {
  decodeAny,
  imagesFrom,
  type ResultBase,
  type SampleImages,
  type SamplesReference,
} from '@epochscope/analysis/results';
import { type ResultName, type RunEntry, type RunInfo, type RunSource, resultId } from './source.js';

const WEIGHTS_KEPT = 8;
/** Bytes of one snapshot's weights that a page takes. */
const MAX_WEIGHTS = 60e6;

/** `epochscope serve` (docs/formats/http-api.md). A result is fetched once per version. */
export class HttpSource implements RunSource {
  private readonly results = new Map<string, Promise<ResultBase>>();
  private readonly tensors = new Map<string, Promise<Map<string, Tensor>>>();
  private readonly samples = new Map<string, Promise<SampleImages>>();

  /** `base`: address before `/api`, '' for the page's own server. */
  /** Whether the server answers; fires `change`. */
  readonly reachable = new EventTarget();
  alive = true;

  constructor(
    private readonly base = '',
    private readonly fetcher: typeof fetch = (...args) => fetch(...args),
  ) {}

  /** Where the server hands out a run's files. */
  protected filesOf(key: string): string {
    return new URL(`${this.base}${apiPaths.run(key)}/files`, location.href).href;
  }
  async runs(): Promise<RunEntry[]> {
    const { runs } = await this.json<ApiRunList>(apiPaths.runs());
    return runs.map(({ key, problem }) => ({ key, title: key, problem }));
  }
  async run(key: string): Promise<RunInfo> {
    const { manifest, warnings, results } = await this.json<ApiRun>(apiPaths.run(key));
    return { key, manifest, warnings, results };
  }
  result(key: string, name: ResultName): Promise<ResultBase> {
    return this.once(this.results, key, name, async () =>
      decodeAny(
        await this.bytes(apiPaths.result(key, name.method, name.name, { samples: 'reference' })),
        resultId(name),
        { samples: (reference) => this.images(key, reference) },
      ),
    );
  }
  /** Images of a run's samples, whichever results refer to them, fetched once: only their rows. */
  private images(key: string, reference: SamplesReference): Promise<SampleImages | null> {
    const place = `${key}\n${reference.rows?.join() ?? reference.shape[0]}`;
    let found = this.samples.get(place) as Promise<SampleImages | null> | undefined;
    if (!found) {
      found = httpSource(new URL(this.base + apiPaths.samples(key, 'inputs.npy'), location.href).href, {
        fetch: this.fetcher,
      })
        .then((source) => imagesFrom(source, reference))
        .catch(() => null);
      this.samples.set(place, found as Promise<SampleImages>);
    }
    return found;
  }
  /** The last few are kept: a slider goes back and forth, and one side of a comparison stays. */
  weights(key: string, snapshot: string): Promise<Map<string, Tensor>> {
    const place = `${key}\n${snapshot}`;
    let found = this.tensors.get(place);
    if (!found) {
      found = this.readWeights(key, snapshot);
      found.catch(() => this.tensors.delete(place));
    }
    this.tensors.delete(place);
    this.tensors.set(place, found);
    for (const oldest of this.tensors.keys()) {
      if (this.tensors.size <= WEIGHTS_KEPT) break;
      this.tensors.delete(oldest);
    }
    return found;
  }
  private async readWeights(key: string, snapshot: string): Promise<Map<string, Tensor>> {
    const { tensors } = await this.json<ApiSnapshot>(apiPaths.snapshot(key, snapshot));
    const bytes = tensors.reduce((sum, tensor) => sum + tensor.bytes, 0);
    if (bytes > MAX_WEIGHTS)
      throw new Error(
        `the weights of a snapshot take ${Math.round(bytes / 1e6)} MB, too much for a page; run "epochscope change" of some layers`,
      );
    const answer = await this.fetcher(this.base + apiPaths.weights(key, snapshot));
    if (!answer.ok) throw new Error(`${answer.status} ${answer.statusText}`);
    return readSafetensors(bytesSource(snapshot, new Uint8Array(await answer.arrayBuffer())));
  }
  watch(key: string, changed: () => void): () => void {
    const events = new EventSource(this.base + apiPaths.runEvents(key));
    let timer: ReturnType<typeof setTimeout> | undefined;
    // Snapshots may come many a second: the run is asked for at most once in that time.
    const soon = () => {
      timer ??= setTimeout(() => {
        timer = undefined;
        changed();
      }, 700);
    };
    for (const name of ['state', 'snapshots', 'reset', 'problem']) events.addEventListener(name, soon);
    // A browser tells at once that the stream broke, and tries again by itself.
    const alive = (now: boolean) => () => {
      if (this.alive === now) return;
      this.alive = now;
      this.reachable.dispatchEvent(new Event('change'));
      if (now) soon();
    };
    const again = setInterval(() => {
      if (events.readyState === EventSource.CLOSED) {
        clearInterval(again);
        alive(false)();
      }
    }, 1000);
    events.addEventListener('open', alive(true));
    events.addEventListener('error', alive(false));
    return () => {
      clearTimeout(timer);
      clearInterval(again);
      events.close();
    };
  }

  /** The answer of this version; a failed one is asked for again next time, older versions are let go. */
  private once<T>(
    known: Map<string, Promise<T>>,
    key: string,
    name: ResultName,
    load: () => Promise<T>,
  ): Promise<T> {
    const place = `${key}\n${resultId(name)}\n`;
    const found = known.get(place + name.version);
    if (found) return found;
    for (const other of known.keys()) if (other.startsWith(place)) known.delete(other);
    const loading = load();
    known.set(place + name.version, loading);
    loading.catch(() => known.delete(place + name.version));
    return loading;
  }
  private async bytes(path: string): Promise<Uint8Array> {
    return new Uint8Array(await (await this.answer(path)).arrayBuffer());
  }
  private async text(path: string): Promise<string> {
    return (await this.answer(path)).text();
  }
  private async answer(path: string): Promise<Response> {
    const response = await this.fetcher(this.base + path).catch((error: Error) => {
      throw new Error(`the server does not answer (${error.message})`);
    });
    if (response.ok) return response;
    const text = await response.text();
    let message = `${response.status} ${response.statusText}`;
    try {
      message = (JSON.parse(text) as ApiProblem).error.message;
    } catch {
      // Not an answer of ours: the status says enough.
    }
    throw new Error(message);
  }
  private async json<T>(path: string): Promise<T> {
    return JSON.parse(await this.text(path)) as T;
  }
}
