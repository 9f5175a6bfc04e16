import { EpochscopeError, guard } from '@epochscope/core-wasm';
import { rest } from './budget.js';
import { isObject, parseJson } from './json.js';
import { type OpenSibling, readJsonObject } from './siblings.js';
import type { ByteSource, Tensor } from './types.js';

/** A vocabulary of 256 000 tokens with its merges takes some 35 MB. */
const MAX_TOKENIZER = 64_000_000;
const MAX_TEXTS = 256_000_000;

/** A text as token ids: as its writer does, or without the tokens that it puts around every text. */
export type Encode = (text: string, special: boolean) => readonly number[];

/**
 * A tokenizer as Hugging Face's libraries write it: tokenizer.json, and tokenizer_config.json where it stands beside it. BPE, WordPiece and
 * Unigram run, by @huggingface/tokenizers. Throws `format`, `unsupported`.
 */
export async function readTokenizer(open: OpenSibling, name: string): Promise<Encode> {
  const json = await open(name, async (source) => {
    guard(
      source.size <= MAX_TOKENIZER,
      'format',
      () => `${source.name}: expected at most ${MAX_TOKENIZER} bytes, got ${source.size}`,
      { file: source.name },
    );
    return parseJson(new TextDecoder().decode(await source.read(0, source.size)), source.name);
  });
  guard(
    isObject(json) && isObject(json.model) && (json.model.vocab || json.model.merges),
    'format',
    () => `${name}: expected a tokenizer.json of Hugging Face's libraries, with a model and its vocabulary`,
    { file: name },
  );
  const config =
    name === 'tokenizer.json'
      ? await open('tokenizer_config.json', readJsonObject).catch((cause) => {
          if (cause instanceof EpochscopeError && cause.code === 'missing') return {};
          throw cause;
        })
      : {};
  const { Tokenizer } = await import('@huggingface/tokenizers');
  const refuse = (cause: unknown): never => {
    throw new EpochscopeError(
      'unsupported',
      `${name}: this tokenizer does not run here: ${String((cause as Error).message).slice(0, 200)}; save the ids that it gives as .npy instead`,
      { file: name },
      { cause },
    );
  };
  try {
    const tokenizer = new Tokenizer(
      // What may be left out of the file, the library asks for.
      {
        normalizer: null,
        pre_tokenizer: null,
        post_processor: null,
        decoder: null,
        added_tokens: [],
        ...json,
      },
      config,
    );
    return (text, special) => {
      try {
        return tokenizer.encode(text, { add_special_tokens: special }).ids;
      } catch (cause) {
        return refuse(cause);
      }
    };
  } catch (cause) {
    return refuse(cause);
  }
}

/** Texts of a file, one a line. Throws `format` for what is no UTF-8, or empty. */
export async function readTexts(source: ByteSource): Promise<string[]> {
  const { name: file } = source;
  guard(
    source.size <= MAX_TEXTS,
    'format',
    () => `${file}: expected at most ${MAX_TEXTS} bytes, got ${source.size}`,
    { file },
  );
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(await source.read(0, source.size));
  } catch (cause) {
    throw new EpochscopeError('format', `${file}: expected texts in UTF-8, one a line`, { file }, { cause });
  }
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  guard(lines.length > 0, 'format', () => `${file}: expected texts, one a line; it is empty`, { file });
  return lines;
}

/**
 * Ids of texts, [texts, length] int32: nets run on samples of one shape, and no mask tells them padding apart. So texts are cut to `length` tokens,
 * without it to as many as the shortest has; what the tokenizer puts before and after a text stays. Throws `shape` where a text has fewer,
 * `format` for a text without tokens, or with one that the tokenizer does not know.
 */
export async function idsOfTexts(
  texts: readonly string[],
  encode: Encode,
  file: string,
  length: number | null = null,
): Promise<{ ids: Tensor; cut: number }> {
  const rows: (readonly number[])[] = [];
  for (const [i, text] of texts.entries()) {
    const row = encode(text, true);
    if (!row.length || !row.every((id) => Number.isInteger(id) && id >= 0))
      throw new EpochscopeError(
        'format',
        `${file}: line ${i + 1}: ${row.length ? 'holds what the tokenizer has no token for' : 'gives no token'}`,
        { file, line: i + 1 },
      );
    rows.push(row);
    if (i % 64 === 63) await rest(file);
  }
  const shortest = rows.reduce((least, row, i) => (row.length < rows[least]!.length ? i : least), 0);
  const count = length ?? rows[shortest]!.length;
  guard(
    rows[shortest]!.length >= count,
    'shape',
    () =>
      `${file}: line ${shortest + 1} gives ${rows[shortest]!.length} tokens, fewer than ${count} (option length); nets take samples of one length: leave it out, or take fewer`,
    { file, line: shortest + 1 },
  );
  let cut = 0;
  const ids = new Int32Array(rows.length * count);
  for (const [i, row] of rows.entries()) {
    if (row.length > count) cut++;
    ids.set(row.length > count ? shortened(row, encode(texts[i]!, false), count, file, i) : row, i * count);
  }
  return { ids: { data: ids, shape: [rows.length, count], dtype: 'int32' }, cut };
}

/** The first tokens of a text, between those that stand around it. */
function shortened(
  row: readonly number[],
  bare: readonly number[],
  count: number,
  file: string,
  line: number,
): number[] {
  const extra = row.length - bare.length;
  const before = Array.from({ length: extra + 1 }, (_, at) => at).find((at) =>
    bare.every((id, i) => row[at + i] === id),
  );
  if (before === undefined) return row.slice(0, count);
  guard(
    count > extra,
    'shape',
    () =>
      `${file}: line ${line + 1}: ${count} tokens leave nothing of the text beside the ${extra} that the tokenizer puts around it`,
    { file, line: line + 1 },
  );
  return [...row.slice(0, before), ...bare.slice(0, count - extra), ...row.slice(before + bare.length)];
}
