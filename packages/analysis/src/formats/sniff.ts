import { EpochscopeError, formatBytes } from '@epochscope/core-wasm';
import type { ByteSource } from './types.js';

// What a file is by its first bytes, whatever its name says.

export type Content = 'safetensors' | 'zip' | 'hdf5' | 'npy' | 'other';

/** Bytes looked at. */
const HEAD = 512;

const startsWith = (head: Uint8Array, ...bytes: number[]) => bytes.every((byte, i) => head[i] === byte);

/** Of the first bytes of a file of `size` bytes. */
export function contentOf(head: Uint8Array, size: number): Content {
  if (startsWith(head, 0x50, 0x4b, 3, 4) || startsWith(head, 0x50, 0x4b, 5, 6)) return 'zip';
  if (startsWith(head, 0x89, 0x48, 0x44, 0x46, 13, 10, 26, 10)) return 'hdf5';
  if (startsWith(head, 0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59)) return 'npy';
  if (head.length >= 9 && head[8] === 0x7b) {
    const header = new DataView(head.buffer, head.byteOffset, 8).getBigUint64(0, true);
    if (header >= 2n && header <= BigInt(size) - 8n) return 'safetensors';
  }
  return 'other';
}

/** One sentence on a file that stands for another or is wrapped in another, with the way out; null where it is neither. */
export function disguiseOf(head: Uint8Array, size: number): string | null {
  const text = new TextDecoder('latin1').decode(head);
  if (size === 0) return 'is empty: it was not written, or the disk was full';
  if (text.startsWith('version https://git-lfs.github.com/spec/')) {
    const whole = Number(/\nsize (\d{1,15})\n/.exec(text)?.[1]);
    return `is a Git LFS pointer of ${size} bytes, not the file${whole ? ` of ${formatBytes(whole)}` : ''} it stands for; run "git lfs pull" where it was cloned`;
  }
  if (/^\s*<(!doctype html|html|head|\?xml)/i.test(text))
    return 'is a web page, not data: the server answered with a page (a login, a notice, an error); download the file again';
  const packed = startsWith(head, 0x1f, 0x8b)
    ? ['gzip', 'gunzip']
    : startsWith(head, 0x28, 0xb5, 0x2f, 0xfd)
      ? ['Zstandard', 'zstd -d']
      : startsWith(head, 0xfd, 0x37, 0x7a, 0x58, 0x5a)
        ? ['xz', 'unxz']
        : startsWith(head, 0x42, 0x5a, 0x68)
          ? ['bzip2', 'bunzip2']
          : null;
  if (packed) return `is compressed by ${packed[0]}; unpack it first: ${packed[1]} FILE`;
  if (text.startsWith('GGUF'))
    return 'is a GGUF file of llama.cpp, whose quantised weights are not read; import the checkpoint it was made from';
  return null;
}

export const headOf = (source: ByteSource): Promise<Uint8Array> =>
  source.read(0, Math.min(HEAD, source.size));

/** The failure of a parser, or what the file is instead of what it was taken for. */
export async function explained(source: ByteSource, cause: unknown): Promise<unknown> {
  if (!(cause instanceof EpochscopeError) || !['format', 'unsupported'].includes(cause.code)) return cause;
  const head = await headOf(source).catch(() => null);
  const disguise = head && disguiseOf(head, source.size);
  return disguise
    ? new EpochscopeError('format', `${source.name} ${disguise}`, { file: source.name }, { cause })
    : cause;
}
