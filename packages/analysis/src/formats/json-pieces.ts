import { EpochscopeError } from '@epochscope/core-wasm';
import { Budget } from './budget.js';
import { MAX_JSON_DEPTH, parseJson } from './json.js';

/** JSON that is read whole is at most so long: as objects it takes up to twenty times that. */
export const MAX_TEXT_JSON = 12_000_000;
/** Values in it: a tensor's description has seven. */
export const MAX_TEXT_ITEMS = 2_000_000;

/** Keys of one object: of tensors that are named, some ten thousand. */
const MAX_KEYS = 200_000;

/** Characters parsed at once. */
const PIECE = 1 << 20;

/**
 * `parseJson` of a text of any length, with rests in between: JSON.parse of a hundred megabytes hears no signal for a second. Lists and
 * objects longer than a piece are taken apart item by item, items are parsed some at a time; the value is that of JSON.parse. Time is
 * linear: two passes over the characters and JSON.parse of each once. `piece`: characters parsed at once; `items`: values in all that are allowed, where the text is
 * whoever's: an empty object takes thirty times its two characters. Throws `format`, `cancelled`.
 */
export async function parseJsonInPieces(
  text: string,
  file: string,
  piece = PIECE,
  items = Number.POSITIVE_INFINITY,
): Promise<unknown> {
  if (text.length <= piece) return parseJson(text, file);
  const budget = new Budget(file, text.length);
  const fail = (what: string, at: number): never => {
    throw new EpochscopeError('format', `${file}: not JSON: ${what} (character ${at})`, { file });
  };
  const ends = await wideOnes(text, file, piece, budget, fail, items);
  const begin = nextOf(text, 0);
  const close = ends.get(begin);
  if (close === undefined) return parseJson(text, file);
  const after = nextOf(text, close + 1);
  if (after < text.length) fail('more text after its end', after);

  const build = async (open: number): Promise<unknown> => {
    const end = ends.get(open)!;
    const list = text[open] === '[';
    const out: unknown[] | Record<string, unknown> = list ? [] : {};
    let keys = 0;
    const set = (key: string, value: unknown) => {
      if (++keys > MAX_KEYS)
        throw new EpochscopeError('format', `${file}: expected at most ${MAX_KEYS} keys in one object`, {
          file,
        });
      if (key !== '__proto__') (out as Record<string, unknown>)[key] = value;
      else Object.defineProperty(out, key, { value, enumerable: true, configurable: true, writable: true });
    };
    /** Whole items from … to − 1, with the commas between them. */
    const items = async (from: number, to: number) => {
      if (nextOf(text, from) >= to) fail('expected a value', from);
      const slice = text.slice(from, to);
      const part = parseJson(list ? `[${slice}]` : `{${slice}}`, file);
      if (list) for (const item of part as unknown[]) (out as unknown[]).push(item);
      else for (const key of Object.keys(part as object)) set(key, (part as Record<string, unknown>)[key]);
      await budget.rest();
    };
    let from = open + 1;
    let item = from;
    let depth = 0;
    let i = from;
    while (i < end) {
      const code = text.charCodeAt(i);
      const inside = code === 0x5b || code === 0x7b ? ends.get(i) : undefined;
      if (inside !== undefined) {
        if (item > from) await items(from, item - 1);
        const before = text.slice(item, i);
        let key = '';
        if (list) {
          if (before.trim() !== '') fail('expected a comma', i);
        } else [key = ''] = Object.keys(parseJson(`{${before}0}`, file) as object);
        const value = await build(i);
        if (list) (out as unknown[]).push(value);
        else set(key, value);
        i = nextOf(text, inside + 1);
        from = item = i;
        if (i >= end) return out;
        if (text[i] !== ',') fail('expected a comma', i);
        from = item = ++i;
        continue;
      }
      if (code === 0x22) i = endOfText(text, i);
      else if (code === 0x5b || code === 0x7b) depth++;
      else if (code === 0x5d || code === 0x7d) depth--;
      else if (code === 0x2c && depth === 0) {
        item = i + 1;
        if (i - from > piece) {
          await items(from, i);
          from = item;
        }
      }
      i++;
    }
    await items(from, end);
    return out;
  };
  return build(begin);
}

/** Where lists and objects longer than a piece end, by where they begin. Throws as `parseJson` for too deep ones. */
async function wideOnes(
  text: string,
  file: string,
  piece: number,
  budget: Budget,
  fail: (what: string, at: number) => never,
  items: number,
): Promise<Map<number, number>> {
  const ends = new Map<number, number>();
  const open: number[] = [];
  let seen = 0;
  let rest = PIECE;
  for (let i = 0; i < text.length; i++) {
    if (i > rest) {
      await budget.rest();
      rest = i + PIECE;
    }
    const code = text.charCodeAt(i);
    if (code === 0x22) i = endOfText(text, i);
    else if (code === 0x2c) {
      if (++seen > items)
        throw new EpochscopeError('format', `${file}: expected at most ${items} values (character ${i})`, {
          file,
        });
    } else if (code === 0x5b || code === 0x7b) {
      if (open.push(i) > MAX_JSON_DEPTH)
        throw new EpochscopeError(
          'format',
          `${file}: expected lists and objects nested at most ${MAX_JSON_DEPTH} deep (character ${i})`,
          { file },
        );
    } else if (code === 0x5d || code === 0x7d) {
      const begin = open.pop();
      // "[" is 0x5b and "]" 0x5d; "{" is 0x7b and "}" 0x7d.
      if (begin === undefined || text.charCodeAt(begin) !== code - 2) return fail('unexpected bracket', i);
      if (i - begin > piece) ends.set(begin, i);
    }
  }
  if (open.length) fail('it ends too early', text.length);
  return ends;
}

/** The closing quote of the text that opens at `i`; the last character where there is none. */
function endOfText(text: string, i: number): number {
  for (let at = i + 1; ; ) {
    const close = text.indexOf('"', at);
    if (close < 0) return text.length;
    let slashes = 0;
    while (text.charCodeAt(close - 1 - slashes) === 0x5c) slashes++;
    if (slashes % 2 === 0) return close;
    at = close + 1;
  }
}

function nextOf(text: string, i: number): number {
  let at = i;
  for (
    let code = text.charCodeAt(at);
    code === 0x20 || (code >= 0x09 && code <= 0x0d && code !== 0x0b && code !== 0x0c);
  )
    code = text.charCodeAt(++at);
  return at;
}
