import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type GeometryOfInput,
  RESULT_FORMAT,
  type ResultBase,
  readResult,
  toolInfo,
} from '@epochscope/analysis';
import { guard } from '@epochscope/core-wasm';
import { writeFileWhole, writeResultTo } from '../files.js';
import type { Output } from '../output.js';

/** Folder of one input's figures at one of the maps. By number: names of layers may be alike where only letters are kept, or long. */
export const partName = (snapshot: string, place: number, input: number) =>
  `${snapshot}-map-${place}-input-${input}`;

interface Part extends ResultBase {
  part: GeometryOfInput;
}

/** Finished inputs beside the result to be. */
export class Parts {
  written = 0;
  private known = new Set<string>();

  constructor(private readonly folder: string) {}

  async begin(key: unknown, resume: boolean, output: Output): Promise<void> {
    const file = join(this.folder, 'key.json');
    const text = JSON.stringify(key);
    const found = await readFile(file, 'utf8').catch(() => null);
    if (found !== null && resume) {
      guard(
        found === text,
        'argument',
        () =>
          `${this.folder} was begun with other options or inputs; repeat those, or start again without --resume`,
        { path: this.folder },
      );
      this.known = new Set(await readdir(this.folder));
      this.written = this.known.size - 1;
      output.say(`  going on: ${this.written} spectra are there`);
      return;
    }
    if (found !== null) await rm(this.folder, { recursive: true, force: true });
    this.key = text;
  }
  private key: string | null = null;

  async read(name: string): Promise<GeometryOfInput | null> {
    if (!this.known.has(name)) return null;
    return (await readResult<Part>(join(this.folder, name))).part;
  }

  async write(name: string, part: GeometryOfInput): Promise<void> {
    const wrapped: Part = {
      format: RESULT_FORMAT,
      method: 'geometry-part',
      name,
      tool: toolInfo,
      input: { source: '', files: {} },
      parameters: {},
      seeds: {},
      seconds: 0,
      part,
    };
    await writeResultTo(join(this.folder, name), wrapped);
    if (this.key !== null) await writeFileWhole(join(this.folder, 'key.json'), this.key);
    this.key = null;
    this.written++;
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}
