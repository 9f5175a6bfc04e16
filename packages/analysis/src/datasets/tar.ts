import { EpochscopeError } from '@epochscope/core-wasm';

// ustar (POSIX.1-1988): records of 512 bytes, a header each file, sizes in octal.

const RECORD = 512;
/** More files than this are refused. */
export const MAX_TAR_FILES = 10_000;

/**
 * Plain files of a tar archive by their base name, as views. Folders, links and long-name records are passed over, so
 * nothing in an archive can name a place outside. Throws `format` on a wrong checksum, size, or two files of one name.
 */
export function readTar(bytes: Uint8Array, name: string): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  let at = 0;
  const fail = (message: string): never => {
    throw new EpochscopeError('format', `${name}: ${message} (byte ${at})`, { file: name, byte: at });
  };
  const text = (from: number, length: number) => {
    const field = bytes.subarray(at + from, at + from + length);
    const end = field.indexOf(0);
    return String.fromCharCode(...(end < 0 ? field : field.subarray(0, end)));
  };
  const octal = (from: number, length: number, what: string) => {
    const field = text(from, length).trim();
    if (!/^[0-7]{1,11}$/.test(field))
      fail(`tar header: expected an octal ${what}, got ${JSON.stringify(field)}`);
    return Number.parseInt(field, 8);
  };
  for (let count = 0; at + RECORD <= bytes.length; count++) {
    const header = bytes.subarray(at, at + RECORD);
    if (header.every((byte) => byte === 0)) return files;
    if (count >= MAX_TAR_FILES) fail(`expected at most ${MAX_TAR_FILES} files`);
    // The checksum counts its own eight bytes as blanks.
    const sum = header.reduce((total, byte, i) => total + (i >= 148 && i < 156 ? 32 : byte), 0);
    if (octal(148, 8, 'checksum') !== sum) fail('the tar header is damaged');
    const size = octal(124, 12, 'size');
    const from = at + RECORD;
    if (from + size > bytes.length)
      fail(`a file of ${size} bytes runs past the archive's end at ${bytes.length}`);
    const kind = text(156, 1);
    if (kind === '' || kind === '0') {
      const file = text(0, 100).split('/').pop()!;
      if (files.has(file)) fail(`two files are named ${JSON.stringify(file)}`);
      files.set(file, bytes.subarray(from, from + size));
    }
    at = from + Math.ceil(size / RECORD) * RECORD;
  }
  return at === 0 ? fail('expected a tar archive') : files;
}
