import { type BigIntStats, realpathSync } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { isSafeName } from '@epochscope/analysis/runs';
import { EpochscopeError, guard } from '@epochscope/core-wasm';

/** A file that may be served: where it really is, and what it was when looked at. */
export interface ConfinedFile {
  path: string;
  size: number;
  /** Changes when the file does. */
  version: string;
}

const within = (root: string, path: string) =>
  path === root || path.startsWith(root.endsWith(sep) ? root : root + sep);
const versionOf = ({ ino, mtimeNs, size }: BigIntStats) =>
  `${ino.toString(36)}-${mtimeNs.toString(36)}-${size.toString(36)}`;

/**
 * Finds files below one folder and nowhere else: each part must be one plain name, and the place after all symbolic links
 * must still lie below the folder. What is refused is answered as `missing`, so that nothing is learned about the rest
 * of the disk. Only regular files: a pipe or device would hang a reader.
 */
export class Confinement {
  readonly root: string;

  constructor(folder: string) {
    this.root = realpathSync(folder);
  }

  /** Throws `missing`. */
  async file(...parts: string[]): Promise<ConfinedFile> {
    const path = await this.place(parts);
    const info = await stat(path, { bigint: true }).catch(() => null);
    if (!info?.isFile()) throw new EpochscopeError('missing', `${shown(parts)} is not here`);
    return { path, size: Number(info.size), version: versionOf(info) };
  }

  /** Version of a file, or '' where there is none that may be served. */
  version(...parts: string[]): Promise<string> {
    return this.file(...parts).then(
      ({ version }) => version,
      () => '',
    );
  }

  async folder(...parts: string[]): Promise<string> {
    const path = await this.place(parts);
    const info = await stat(path).catch(() => null);
    guard(info?.isDirectory(), 'missing', () => `${shown(parts)} is not here`);
    return path;
  }

  private async place(parts: string[]): Promise<string> {
    const missing = (cause?: unknown) =>
      new EpochscopeError('missing', `${shown(parts)} is not here`, {}, { cause });
    // A leading dot: hidden files and folders are nobody's run.
    if (!parts.every((part) => isSafeName(part) && !part.startsWith('.'))) throw missing();
    const path = await realpath(join(this.root, ...parts)).catch((cause) => {
      throw missing(cause);
    });
    if (!within(this.root, path)) throw missing();
    return path;
  }

  /** A message without the places of this machine. */
  hide(message: string): string {
    return message.replaceAll(this.root + sep, '').replaceAll(this.root, 'the served folder');
  }
}

const shown = (parts: string[]) => JSON.stringify(parts.join('/').slice(0, 200));
