import { EpochscopeError, guard } from '@epochscope/core-wasm';
import { budgetOf } from './budget.js';
import { unpackedPieces } from './gzip.js';
import type { ByteSource } from './types.js';

// Lines of fields, as spreadsheets, pandas, R and NumPy write them. What the fields mean is told in matrices/table.ts.
// No library: those there are for both Node and pages know no blank-separated text, take a broken quote for data, or name no column.

/** A line longer than this is refused: 100 000 columns of 20 characters. */
export const MAX_CSV_LINE = 3_000_000;

/** Characters between two looks at the clock. */
const TURN = 1 << 16;

export type CsvDelimiter = ',' | ';' | '\t' | ' ' | '|';

export interface CsvLine {
  /** Where it begins, from 1. */
  line: number;
  fields: string[];
}

export interface CsvLines {
  /** Told from the first line unless given: tab, semicolon, comma, bar, or else blanks. */
  delimiter: CsvDelimiter;
  /** Lines that begin with # and were passed over. */
  comments: number;
}

/**
 * Lines of comma-, semicolon-, tab-, bar- or blank-separated text, plain or gzipped, UTF-8 (or UTF-16 with its mark), with or without
 * byte order mark. Lines end in LF, CRLF or CR; empty ones and those that begin with # (NumPy's savetxt; not #N/A and the like) are passed over,
 * and Excel's "sep=;" is heeded. Fields lose
 * blanks around them and may be quoted; a quoted field may hold line breaks. Throws `format` with line and column (both from 1),
 * `memory`, `cancelled`. Time linear in the bytes; memory a few megabytes.
 */
export async function* readCsvLines(
  source: ByteSource,
  given: CsvDelimiter | undefined,
  decimalComma: boolean,
): AsyncGenerator<CsvLine & { about: CsvLines }> {
  const about: CsvLines = { delimiter: given ?? ',', comments: 0 };
  const budget = budgetOf(source);
  const fields = new Fields();
  /** The first lines, until the quotes in them are even: only then can their delimiter be told. */
  let first: string[] | null = given === undefined ? [] : null;
  let begun = 0;
  let length = 0;
  let line = 0;
  let read = 0;
  for await (const lines of textLines(source)) {
    for (const raw of lines) {
      // Short lines many at a time, long ones each.
      read += raw.length + 1;
      if (read > TURN) {
        read = 0;
        await budget.rest();
      }
      line++;
      const whole = !fields.open && !first?.length;
      if (whole) {
        const trimmed = raw.trim();
        if (trimmed === '') continue;
        if (trimmed.startsWith('#') && !SHEET_ERROR.test(trimmed)) {
          about.comments++;
          continue;
        }
        // Excel's own first line.
        const declared = first && begun === 0 ? /^\ufeff?"?sep=([,;\t| ])"?\s*$/i.exec(raw)?.[1] : undefined;
        begun = line;
        if (declared) {
          about.comments++;
          about.delimiter = declared as CsvDelimiter;
          first = null;
          continue;
        }
        length = 0;
      }
      const fail = (message: string, column?: number): never => failAt(source, message, begun, column);
      length += raw.length + 1;
      if (length > MAX_CSV_LINE)
        fail(
          `expected at most ${MAX_CSV_LINE} characters a line, got more${whole ? '' : ': a quote that does not end?'}`,
        );
      let texts = [raw];
      if (first) {
        first.push(raw);
        if (fields.count(raw) % 2) continue;
        texts = first;
        first = null;
        about.delimiter = guessDelimiter(texts.join('\n').trim(), decimalComma);
      }
      // A tab at the edge of a line is an empty field, a blank is nothing.
      for (const text of texts)
        fields.add(about.delimiter === ' ' && !fields.open ? text.trim() : text, about.delimiter, fail);
      if (!fields.open) yield { line: begun, fields: fields.take(), about };
    }
    await budget.rest();
  }
  if (fields.open || first?.length) failAt(source, 'a quoted field does not end', begun);
}

function failAt(source: ByteSource, message: string, line: number, column?: number): never {
  throw new EpochscopeError(
    'format',
    `${source.name}: line ${line}${column === undefined ? '' : `, column ${column}`}: ${message}`,
    { file: source.name, line, column },
  );
}

/** Bytes whose lines are held at once: many at a time live long enough to be collected late. */
const BATCH = 1 << 15;

async function* smallPieces(source: ByteSource): AsyncGenerator<Uint8Array> {
  for await (const bytes of unpackedPieces(source))
    for (let from = 0; from < bytes.length; from += BATCH) yield bytes.subarray(from, from + BATCH);
}

/** Lines without their ends, a batch at a time. */
async function* textLines(source: ByteSource): AsyncGenerator<string[]> {
  let decoder: TextDecoder | null = null;
  /** What is there of a line that goes on. */
  let begun: string[] = [];
  let held = 0;
  let seen = 0;
  const tooLong = (line: number) =>
    `${source.name}: line ${line}: expected at most ${MAX_CSV_LINE} characters a line, got more`;
  let lineEnd: string | undefined;
  const decode = (bytes?: Uint8Array): string => {
    try {
      return bytes ? decoder!.decode(bytes, { stream: true }) : (decoder?.decode() ?? '');
    } catch {
      throw new EpochscopeError(
        'format',
        `${source.name}: line ${seen + 1} or later: expected UTF-8 text; save it as UTF-8, or in Python: open(…, encoding="latin-1")`,
        {
          file: source.name,
          line: seen + 1,
        },
      );
    }
  };
  for await (const bytes of smallPieces(source)) {
    const utf16 =
      bytes[0] === 0xff && bytes[1] === 0xfe
        ? 'utf-16le'
        : bytes[0] === 0xfe && bytes[1] === 0xff
          ? 'utf-16be'
          : null;
    decoder ??= new TextDecoder(utf16 ?? 'utf-8', { fatal: true });
    const piece = decode(bytes);
    // Lines of old spreadsheets on a Mac end in CR alone.
    if (lineEnd === undefined && piece.includes('\n')) lineEnd = '\n';
    else if (lineEnd === undefined && /\r./s.test(piece)) lineEnd = '\r';
    if (lineEnd === undefined || !piece.includes(lineEnd)) {
      // A long line is put together once.
      begun.push(piece);
      held += piece.length;
      guard(held <= MAX_CSV_LINE, 'format', () => tooLong(seen + 1), { file: source.name, line: seen + 1 });
      continue;
    }
    const lines = (begun.join('') + piece).split(lineEnd);
    const rest = lines.pop()!;
    begun = [rest];
    held = rest.length;
    seen += lines.length;
    yield lines.map(withoutReturn);
  }
  const rest = withoutReturn(begun.join('') + decode());
  if (rest !== '') yield lineEnd === undefined ? rest.split('\r') : [rest];
}

/** What a spreadsheet writes where a formula fails begins like a comment. */
export const SHEET_ERROR = /^#(?:N\/A|DIV\/0!|REF!|VALUE!|NUM!|NAME\?|NULL!|SPILL!|CALC!)/i;

const withoutReturn = (text: string) => (text.endsWith('\r') ? text.slice(0, -1) : text);

function guessDelimiter(line: string, decimalComma: boolean): CsvDelimiter {
  const bare = line.replace(/"[^"]*"/g, 'x');
  for (const candidate of ['\t', ';', ',', '|'] as const) {
    // Where commas are decimal marks, one beside a name or a quoted field still separates.
    const comma = candidate === ',' && decimalComma;
    if (comma ? /[^\d\s+-],|,[^\d\s]/.test(bare) : bare.includes(candidate)) return candidate;
  }
  return ' ';
}

/** The fields of a line, which goes on in the next where a quote is open at its end. Each character is looked at once. */
class Fields {
  /** Whether a quote is open. */
  open = false;
  private fields: string[] = [];
  private parts: string[] = [];
  private quotes = 0;

  /** Quotes in all texts counted since the first that was. */
  count(text: string): number {
    for (let at = text.indexOf('"'); at >= 0; at = text.indexOf('"', at + 1)) this.quotes++;
    return this.quotes;
  }

  take(): string[] {
    const { fields } = this;
    this.fields = [];
    return fields;
  }

  add(text: string, delimiter: CsvDelimiter, fail: (message: string, column?: number) => never): void {
    if (!this.open && !text.includes('"')) {
      this.fields = delimiter === ' ' ? text.split(/[ \t]+/) : text.split(delimiter);
      for (let i = 0; i < this.fields.length; i++) this.fields[i] = this.fields[i]!.trim();
      return;
    }
    let at = 0;
    if (this.open) {
      this.parts.push('\n');
      at = this.quoted(text, 0, delimiter, fail);
      if (at < 0 || at++ >= text.length) return;
    }
    for (;;) {
      while (text[at] === ' ' || (delimiter === ' ' && text[at] === '\t')) at++;
      if (text[at] === '"') {
        at = this.quoted(text, at + 1, delimiter, fail);
        if (at < 0) return;
      } else {
        let end = at;
        if (delimiter === ' ') while (end < text.length && text[end] !== ' ' && text[end] !== '\t') end++;
        else end = text.indexOf(delimiter, at);
        if (end < 0) end = text.length;
        this.fields.push(text.slice(at, end).trim());
        at = end;
      }
      if (at >= text.length) return;
      at++;
    }
  }

  /** Goes on from within a quote; where its field ends, or −1 if that is in a later line. */
  private quoted(
    text: string,
    begin: number,
    delimiter: CsvDelimiter,
    fail: (message: string, column?: number) => never,
  ): number {
    let from = begin;
    let close = text.indexOf('"', from);
    // A doubled quote stands for one.
    while (close >= 0 && text[close + 1] === '"') {
      this.parts.push(text.slice(from, close + 1));
      from = close + 2;
      close = text.indexOf('"', from);
    }
    this.open = close < 0;
    this.parts.push(text.slice(from, close < 0 ? undefined : close));
    if (close < 0) return -1;
    this.fields.push(this.parts.join('').trim());
    this.parts = [];
    let at = close + 1;
    while (text[at] === ' ' && delimiter !== ' ') at++;
    if (at < text.length && text[at] !== delimiter && !(delimiter === ' ' && text[at] === '\t'))
      fail(
        `expected ${JSON.stringify(delimiter)} after a quoted field, got ${JSON.stringify(text[at])}`,
        this.fields.length,
      );
    return at;
  }
}
