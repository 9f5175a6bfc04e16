import { EpochscopeError, formatBytes } from '@epochscope/core-wasm';
import { budgetOf } from './budget.js';
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

/** Files that hold numbers, not text. */
const BINARY = /\.(safetensors|pth|pt|ckpt|bin|h5|hdf5|keras|onnx|np[yz]|tar|pkl|pickle)$/i;

/** One sentence on a file that stands for another or is wrapped in another, with the way out; null where it is neither. */
export function disguiseOf(head: Uint8Array, size: number, name = ''): string | null {
  const text = new TextDecoder('latin1').decode(head);
  if (size === 0) return 'is empty: it was not written, or the disk was full';
  if (text.startsWith('version https://git-lfs.github.com/spec/')) {
    const whole = Number(/\nsize (\d{1,15})\n/.exec(text)?.[1]);
    return `is a Git LFS pointer of ${size} bytes, not the file${whole ? ` of ${formatBytes(whole)}` : ''} it stands for; run "git lfs pull" where it was cloned`;
  }
  if (/^(\xef\xbb\xbf)?\s*<(!--|!doctype|html|head|body|script|meta|title|\?xml)/i.test(text))
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
    return 'is a GGUF file of llama.cpp, whose quantised weights are not read; import the checkpoint it was made from, or torch.save(transformers.AutoModelForCausalLM.from_pretrained(folder, gguf_file=name).state_dict(), "model_1.pt")';
  if (startsWith(head, 0x75, 0x73, 0x74, 0x61, 0x72) || text.slice(257, 262) === 'ustar')
    return 'is a tar archive; unpack it first: tar xf FILE';
  if (!BINARY.test(name) || head.length < 12) return null;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what text has none of.
  if (!/[\x00-\x08\x0e-\x1f]/.test(text) && isUtf8(head)) {
    const begin = text.trim().replace(/\s+/g, ' ').slice(0, 60);
    return `is text, not data (${JSON.stringify(begin)}…): a message was saved in its place; download the file again`;
  }
  return null;
}

/** Whether bytes begin a text; a character that is cut off at their end is none against it. */
function isUtf8(head: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(head, { stream: true });
    return true;
  } catch {
    return false;
  }
}

export const headOf = (source: ByteSource): Promise<Uint8Array> =>
  source.read(0, Math.min(HEAD, source.size));

/** What stands where a zip was expected. */
function noZip(head: Uint8Array, { message }: EpochscopeError): string | null {
  if (!/no end-of-directory record/.test(message)) return null;
  // A zip has its directory at its end.
  if (contentOf(head, head.length) === 'zip')
    return 'is cut off: it begins as a zip file does and ends before its directory; copy it again';
  return head[0] === 0x80 && head[1]! >= 2 && head[1]! <= 5
    ? 'is a Python pickle, which is not read: save PyTorch weights with torch.save(model.state_dict(), "model_1.pt"), arrays with np.savez("params_1.npz", **arrays)'
    : null;
}

/** The failure of a parser, or what the file is instead of what it was taken for. */
export async function explained(source: ByteSource, cause: unknown): Promise<unknown> {
  if (!(cause instanceof EpochscopeError) || !['format', 'unsupported'].includes(cause.code)) return cause;
  const head = budgetOf(source).gunzipped ? null : await headOf(source).catch(() => null);
  const disguise = head && (disguiseOf(head, source.size, source.name) ?? noZip(head, cause));
  return disguise
    ? new EpochscopeError('format', `${source.name} ${disguise}`, { file: source.name }, { cause })
    : cause;
}
