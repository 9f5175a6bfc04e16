import { lstatSync } from 'node:fs';
import { lstat, readdir, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { openRun, type ResultBase, type Run, withFile } from '@epochscope/analysis';
import type { ApiResultName, ApiRunSummary } from '@epochscope/analysis/api';
import { readNpy } from '@epochscope/analysis/formats';
import { decodeResult, encodeBinary, imagesFrom } from '@epochscope/analysis/results';
import { MAX_RESULT_JSON } from '@epochscope/analysis/runs';
import { EpochscopeError, guard } from '@epochscope/core-wasm';
import { Confinement } from './confine.js';

/** Runs by the names they have in addresses, read through one confinement. */
export class Catalogue {
  private readonly opened = new Map<string, { version: string; run: Promise<Run> }>();

  private constructor(
    readonly serving: 'run' | 'folder',
    readonly confinement: Confinement,
    /** The only key, for a run served alone. */
    private readonly only: string | null,
  ) {}

  /** A run directory, or a folder whose direct subfolders are runs. Throws `missing`. */
  static async open(target: string): Promise<Catalogue> {
    const info = await stat(target).catch(() => null);
    guard(
      info?.isDirectory(),
      'missing',
      () => `${target} ${info ? 'is not a folder' : 'does not exist'}; expected a run or a folder of runs`,
      { path: target },
    );
    const confinement = new Confinement(target);
    if (!(await confinement.version('run.json'))) return new Catalogue('folder', confinement, null);
    const name = basename(confinement.root);
    return new Catalogue('run', confinement, /^[^.]/.test(name) ? name : 'run');
  }

  /** Path parts of a run below the root. Throws `missing`. */
  parts(key: string): string[] {
    if (this.only === null) return [key];
    if (key !== this.only)
      throw new EpochscopeError(
        'missing',
        `there is no run ${JSON.stringify(key)}; it is called ${this.only}`,
      );
    return [];
  }

  async keys(): Promise<string[]> {
    if (this.only !== null) return [this.only];
    const keys: string[] = [];
    for (const name of (await readdir(this.confinement.root).catch(() => [])).sort())
      if (await this.confinement.version(name, 'run.json')) keys.push(name);
    return keys;
  }

  /** The folder of a run, for watching. */
  folder(key: string): string {
    return join(this.confinement.root, ...this.parts(key));
  }

  /** What changes when run.json or the step log does. Throws `missing` where there is no run. */
  async version(key: string): Promise<string> {
    const parts = this.parts(key);
    const [manifest, steps] = await Promise.all([
      this.confinement.file(...parts, 'run.json'),
      this.confinement.version(...parts, 'steps', 'index.jsonl'),
    ]);
    return `${manifest.version}/${steps}`;
  }

  /** The run as it is now; opened again only when it changed. */
  async run(key: string): Promise<Run> {
    const version = await this.version(key);
    // openRun reads it itself; every other file is confined where it is read.
    await this.confineIfThere(key, 'steps', 'index.jsonl');
    const known = this.opened.get(key);
    if (known?.version === version) return known.run;
    const run = openRun(this.folder(key));
    this.opened.set(key, { version, run });
    run.catch(() => this.opened.delete(key));
    return run;
  }

  private async confineIfThere(key: string, ...parts: string[]): Promise<void> {
    if (await lstat(join(this.folder(key), ...parts)).catch(() => null))
      await this.confinement.file(...this.parts(key), ...parts);
  }

  /** Where the tensors of one snapshot lie, all within the root. */
  async weights(key: string, run: Run, id: string): ReturnType<Run['weightPlaces']> {
    await this.confineIfThere(key, 'steps', 'weights.bin');
    await this.confineIfThere(key, 'snapshots', id, 'weights.safetensors');
    await this.confineIfThere(key, 'snapshots', id, 'weights.json');
    return run.weightPlaces(id);
  }

  /** The same, where the bytes themselves are wanted: those of a link lie elsewhere, and nothing outside the root is given out. */
  async ownWeights(key: string, run: Run, id: string): ReturnType<Run['weightPlaces']> {
    const places = await this.weights(key, run, id);
    if (places.files)
      throw new EpochscopeError(
        'unsupported',
        `the weights of ${id} are linked from another place, which is not served; import the run without --link to show them here`,
        { snapshot: id },
      );
    return places;
  }

  /** The same check for many snapshots, looking at each folder once. */
  async confineWeights(key: string, run: Run, ids: readonly string[]): Promise<void> {
    await this.confineIfThere(key, 'steps', 'weights.bin');
    const parts = [...this.parts(key), 'snapshots'];
    const place = join(this.confinement.root, ...parts);
    const entries = await readdir(place, { withFileTypes: true }).catch(() => []);
    if (entries.length) await this.confinement.folder(...parts);
    // A real folder that holds a real file, below a confined one, leads nowhere else; only links are followed.
    const plain = new Set(entries.filter((entry) => entry.isDirectory()).map(({ name }) => name));
    const links = new Set(entries.filter((entry) => !entry.isDirectory()).map(({ name }) => name));
    for (const id of ids) {
      const file = 'weights.safetensors';
      if (lstatSync(join(place, id, 'weights.json'), { throwIfNoEntry: false }))
        await this.ownWeights(key, run, id);
      if (plain.has(id) && (lstatSync(join(place, id, file), { throwIfNoEntry: false })?.isFile() ?? true))
        continue;
      if (plain.has(id) || links.has(id)) await this.confineIfThere(key, 'snapshots', id, file);
    }
  }

  async results(key: string): Promise<ApiResultName[]> {
    const parts = this.parts(key);
    const folders = async (...below: string[]) =>
      (
        await readdir(join(this.confinement.root, ...parts, 'results', ...below), {
          withFileTypes: true,
        }).catch(() => [])
      )
        .filter((entry) => entry.isDirectory())
        .map(({ name }) => name)
        .sort();
    const found: ApiResultName[] = [];
    for (const method of await folders())
      for (const name of await folders(method)) {
        const version = await this.confinement.version(...parts, 'results', method, name, 'result.json');
        if (version) found.push({ method, name, version });
      }
    return found;
  }

  /**
   * A result in one file. Array names are what result.json says, so each is confined too. `inside`: with the images of the samples it
   * refers to; else with references to them.
   */
  async result(
    key: string,
    method: string,
    name: string,
    inside: boolean,
    left = 20,
  ): Promise<{ bytes: Uint8Array; version: string }> {
    const parts = [...this.parts(key), 'results', method, name];
    const { path, size, version } = await this.confinement.file(...parts, 'result.json');
    guard(size <= MAX_RESULT_JSON, 'memory', () => `${method}/${name}: result.json has ${size} bytes`);
    const decoded = decodeResult<ResultBase>(
      await readFile(path, 'utf8'),
      async (array) => {
        const { path: file } = await this.confinement.file(...parts, ...array.split('/'));
        return (await withFile(file, readNpy)).data;
      },
      `${method}/${name}/result.json`,
      {
        samples: inside
          ? async (reference) => {
              const { path: inputs } = await this.confinement.file(
                ...this.parts(key),
                'samples',
                'inputs.npy',
              );
              return withFile(inputs, (source) => imagesFrom(source, reference));
            }
          : 'keep',
      },
    );
    const result = await decoded.catch(async (cause) => {
      // Replaced meanwhile: its arrays went with it.
      const now = await this.confinement.file(...parts, 'result.json');
      if (now.version === version || left === 0) throw cause;
      return null;
    });
    if (!result) return this.result(key, method, name, inside, left - 1);
    return { bytes: encodeBinary(result), version: inside ? version : `${version}-r` };
  }

  async summary(key: string): Promise<ApiRunSummary> {
    const empty = {
      key,
      model: null,
      layers: [],
      classes: null,
      snapshots: 0,
      last: null,
      complete: false,
      results: [],
    };
    try {
      const { manifest } = await this.run(key);
      return {
        key,
        model: manifest.model?.name ?? null,
        layers: manifest.layers.map(({ name }) => name),
        classes: manifest.classes,
        snapshots: manifest.snapshots.length,
        last: manifest.snapshots.at(-1) ?? null,
        complete: manifest.complete,
        results: await this.results(key),
        problem: null,
      };
    } catch (error) {
      return { ...empty, problem: this.confinement.hide((error as Error).message) };
    }
  }

  /** Everything whose change a run's page wants to know. */
  async signature(key: string): Promise<string> {
    const results = await this.results(key);
    return `${await this.version(key)} ${results.map((r) => `${r.method}/${r.name}=${r.version}`).join(' ')}`;
  }
}
