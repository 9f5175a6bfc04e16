import { EpochscopeError, guard } from '@epochscope/core-wasm';
import { parseJson, shown } from '../formats/json.js';
import { encodeNpz, readNpz } from '../formats/npz.js';
import { anything, finite, object, recordOf, shaped, text } from '../formats/shape.js';
import type { ByteSource, TensorData } from '../formats/types.js';
import { mapArrays, restoreArrays } from '../results/tree.js';
import type { FileIdentity } from '../results/types.js';
import { withStored } from '../stores/content.js';
import type { Store } from '../stores/types.js';

/** A part that was computed: its output, the seconds that took, and which state of each file it read. */
export interface DonePart {
  key: string;
  seconds: number;
  reads: Record<string, FileIdentity>;
  output: unknown;
}

/** One .npz: the tree as JSON text in "part", the arrays beside it. A zip's checksums tell a damaged file. Throws `not-finite` by path. */
export function encodePart(part: DonePart): Uint8Array {
  const arrays = new Map<string, { data: TensorData; shape: number[] }>();
  const tree = mapArrays(part, (_, data) => {
    const name = `a${arrays.size}`;
    arrays.set(name, { data, shape: [data.length] });
    return { $array: name };
  });
  const text = new TextEncoder().encode(JSON.stringify(tree));
  return encodeNpz(new Map([['part', { data: text, shape: [text.length] }], ...arrays]));
}

const donePart = object({
  key: text,
  seconds: finite,
  reads: recordOf(object({})),
  output: anything,
});

/** Reads what `encodePart` wrote. Throws `format`. */
export async function decodePart(source: ByteSource): Promise<DonePart> {
  const arrays = await readNpz(source);
  const json = arrays.get('part')?.data;
  guard(json instanceof Uint8Array, 'format', () => `${source.name}: expected a part, got other arrays`, {
    file: source.name,
  });
  const tree = shaped(parseJson(new TextDecoder().decode(json), source.name), donePart, source.name);
  return (await restoreArrays(tree, '$array', ({ $array }) => {
    const found = typeof $array === 'string' ? arrays.get($array) : undefined;
    guard(found, 'format', () => `${source.name}: array ${shown($array)} is not there`, {
      file: source.name,
    });
    return found.data;
  })) as DonePart;
}

/** Where parts are kept between runs of a workflow. */
export interface PartsPlace {
  store: Store;
  /** Holds KEY.npz for each part done. */
  folder: string;
  /** Parts stay in memory until it says true: nothing is to be written before it is known that the work is of use. */
  ready?: () => Promise<boolean>;
}

/** Parts by key: in memory, or in a folder, from where they are read when they are asked for. */
export class Parts {
  /** Without their outputs, where those lie in a folder. */
  private readonly done = new Map<string, DonePart>();
  /** Those whose outputs are in memory although there is a place for them. */
  private readonly here = new Set<string>();

  constructor(private readonly place: PartsPlace | null) {}

  /** Looks for a part that was done before. A damaged file counts as none. */
  async find(key: string, onWarning?: (text: string) => void): Promise<boolean> {
    if (this.done.has(key)) return true;
    if (!this.place) return false;
    try {
      this.done.set(key, { ...(await this.read(key)), output: null });
      return true;
    } catch (cause) {
      if (!(cause instanceof EpochscopeError)) throw cause;
      if (cause.code !== 'missing') onWarning?.(`${cause.message}; computed again`);
      return false;
    }
  }

  async put(part: DonePart): Promise<void> {
    const placed = this.place && ((await this.place.ready?.()) ?? true);
    if (placed) await this.place!.store.write(this.path(part.key), encodePart(part));
    else this.here.add(part.key);
    this.done.set(part.key, placed ? { ...part, output: null } : part);
  }

  async output<T>(key: string): Promise<T> {
    const part = this.done.get(key);
    guard(part, 'missing', () => `part ${key.slice(0, 12)} has not been computed`, { key });
    return (this.place && !this.here.has(key) ? (await this.read(key)).output : part.output) as T;
  }

  /** Seconds of the parts named, and all that they read. */
  summary(keys: readonly string[]): Pick<DonePart, 'seconds' | 'reads'> {
    const parts = keys.flatMap((key) => this.done.get(key) ?? []);
    return {
      seconds: parts.reduce((sum, { seconds }) => sum + seconds, 0),
      reads: Object.fromEntries(parts.flatMap(({ reads }) => Object.entries(reads))),
    };
  }

  private path = (key: string) => `${this.place!.folder}/${key}.npz`;

  private async read(key: string): Promise<DonePart> {
    const part = await withStored(this.place!.store, this.path(key), decodePart);
    guard(part.key === key, 'format', () => `${this.path(key)}: expected part ${key}, got ${part.key}`, {
      file: this.path(key),
    });
    return part;
  }
}
