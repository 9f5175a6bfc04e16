import { EpochscopeError, guard } from '@epochscope/core-wasm';
import { parseJson } from '../formats/json.js';
import { object, recordOf, shaped, text } from '../formats/shape.js';
import type { TendencyResult } from '../methods/tendency/types.js';
import type { FileIdentity, ResultBase } from '../results/types.js';
import type { Run } from '../run/types.js';
import { readText } from '../stores/content.js';
import { identityOf } from '../stores/identity.js';
import { canonicalJson, sha256 } from './keys.js';
import { type Chosen, pick, repeated } from './select.js';
import type { Plan } from './types.js';

/** Beside a snapshot's outputs: layer → the key of the capture that made its file, and the state it left the file in. */
const CAPTURED = 'captured.json';
const MAX_CAPTURED = 10_000_000;

type Captured = Map<string, { key: string; identity: FileIdentity }>;
const captured = recordOf(object({ key: text, identity: object({}) }));

const capturedPath = (snapshot: string) => `snapshots/${snapshot}/outputs/${CAPTURED}`;

/** What is stored; nothing where that cannot be read, since the files themselves say all that matters. */
async function readCaptured(run: Run, snapshot: string): Promise<Captured> {
  try {
    const path = capturedPath(snapshot);
    const stored = parseJson(await readText(run.store, path, MAX_CAPTURED), path);
    return new Map(Object.entries(shaped(stored, captured, path))) as Captured;
  } catch (cause) {
    if (cause instanceof EpochscopeError && cause.code !== 'missing' && cause.code !== 'format') throw cause;
    return new Map();
  }
}

/** Notes which capture made the files of these layers, just written. */
export async function noteCaptured(
  run: Run,
  snapshot: string,
  layers: readonly { name: string; key: string }[],
): Promise<void> {
  const stored = await readCaptured(run, snapshot);
  for (const { name, key } of layers)
    stored.set(name, { key, identity: await identityOf(run.store, run.outputsPath(snapshot, name)) });
  const json = JSON.stringify(Object.fromEntries(stored), null, 1);
  await run.store.write(capturedPath(snapshot), `${json}\n`);
}

/** What a plan's parts read of a run, each file identified once, without reading it where that can be helped. */
export class PlanInput {
  /** By path in the run's store; null: a part will make the file. */
  readonly files: Record<string, FileIdentity | null> = {};
  private readonly decided = new Map<string, Promise<object | null>>();

  constructor(private readonly run: Run) {}

  /** A file by its path. null where the run holds none. */
  file(path: string): Promise<object | null> {
    return this.once(path, async () => {
      if (!(await this.run.store.has(path))) return null;
      return (this.files[path] = await identityOf(this.run.store, path));
    });
  }

  labels = () => this.file('samples/labels.npy');
  inputs = () => this.file('samples/inputs.npy');
  predictions = () => this.file('samples/predictions.npy');

  /** A snapshot's weights: their file, or their bytes of the step log's. */
  async weights(snapshot: string): Promise<object> {
    const { path, tensors } = await this.run.weightPlaces(snapshot);
    // A link names the state of each file it points to.
    if (!path.startsWith('steps/')) return (await this.file(path)) ?? {};
    // A record of the log is never changed once it is written; its place tells it from others, and the log's head this log from another.
    const from = Math.min(...[...tensors.values()].map(({ begin }) => begin));
    return { log: await this.once(path, () => headOf(this.run, path)), from };
  }

  /**
   * A layer's outputs: for keys, the capture that made them where that is stored, so that a key is the same before and after the capture;
   * else the file's identity. null where there are none.
   */
  outputs(snapshot: string, layer: string): Promise<object | null> {
    const path = this.run.outputsPath(snapshot, layer);
    return this.once(`outputs of ${path}`, async () => {
      const identity = await this.file(path);
      if (!identity) return null;
      const stored = (await readCaptured(this.run, snapshot)).get(this.run.layer(layer).name);
      return stored && canonicalJson(stored.identity) === canonicalJson(identity)
        ? { captured: stored.key }
        : identity;
    });
  }

  /** Outputs that a part will capture. */
  willCapture(snapshot: string, layer: string, key: string): void {
    const path = this.run.outputsPath(snapshot, layer);
    this.files[path] = null;
    this.decided.set(`outputs of ${path}`, Promise.resolve({ captured: key }));
  }

  /** Throws `missing` where there is none. */
  needed<T>(found: T | null, what: string): T {
    guard(found !== null, 'missing', () => `${this.run.store.name} holds no ${what}`, {
      path: this.run.store.name,
    });
    return found;
  }

  plan = (): Plan['input'] => ({ source: this.run.name, files: this.files });

  private once(name: string, find: () => Promise<object | null>): Promise<object | null> {
    const known = this.decided.get(name) ?? find();
    this.decided.set(name, known);
    return known;
  }
}

async function headOf(run: Run, path: string): Promise<object> {
  const file = await run.store.open(path);
  try {
    return { head: sha256(await file.read(0, Math.min(4096, file.size))) };
  } finally {
    await file.close();
  }
}

/** A result's `input`: the files as they were read, else as they lie there now. */
export async function inputOfResult(
  { input }: Plan,
  run: Run,
  reads: Record<string, FileIdentity>,
): Promise<ResultBase['input']> {
  const files: Record<string, FileIdentity> = {};
  for (const path of new Set([...Object.keys(input.files), ...Object.keys(reads)])) {
    const identity = reads[path] ?? input.files[path] ?? (await identityIfThere(run, path));
    if (identity) files[path] = identity;
  }
  return { source: input.source, files };
}

/** A result's `samples`: what the run knows of those that were analysed; `each`: rows that a sample gives, which have no pictures of their own. */
export const samplesOfResult = async (
  run: Run,
  chosen: Chosen,
  count: number,
  each = 1,
): Promise<TendencyResult['samples']> => ({
  count,
  labels: pick(repeated(await run.labels(), each), chosen),
  classes: run.manifest.classes,
  images: each === 1 ? await run.images(chosen) : null,
  ...(chosen ? { indices: chosen } : {}),
});

const identityIfThere = async (run: Run, path: string) =>
  (await run.store.has(path)) ? identityOf(run.store, path) : null;
