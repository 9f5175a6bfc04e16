/** Machine-readable kinds of failure, shared by every package. */
export type ErrorCode =
  | 'argument' // a value passed by the caller is outside its domain
  | 'shape' // sizes do not fit together
  | 'not-finite' // NaN or infinity where a number is needed
  | 'memory' // the job would not fit
  | 'unsupported' // this environment or file feature is not supported
  | 'format' // a file's content is not what its format says
  | 'missing' // a file, folder, layer or snapshot that should exist does not
  | 'io' // reading or writing failed
  | 'cancelled' // stopped on request
  | 'internal'; // a defect of ours

/** Values that say where and what: file, byte, path, expected, got, … Plain data, so that they cross workers. */
export type ErrorFields = Record<string, string | number | boolean | null | undefined>;

/** Longer messages lose their middle: the file stands at the beginning, the way out at the end. */
const MAX_MESSAGE = 1200;

/**
 * Text for people, on one line (`lines`: line breaks stay): control characters and those that turn the writing
 * direction, which names out of files may hold, become escapes such as `\x1b`; what is longer than `most` characters
 * loses its middle.
 */
export function printable(text: string, { most = MAX_MESSAGE, lines = false } = {}): string {
  const cut =
    text.length > most
      ? `${text.slice(0, Math.ceil(0.7 * most))} … ${text.slice(text.length - Math.floor(0.25 * most))}`
      : text;
  return cut.replace(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, (char) =>
    lines && char === '\n' ? char : escaped(char.charCodeAt(0)),
  );
}

const escaped = (code: number) =>
  code < 256 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;

/** The one error class: a readable sentence on one line, a code, and the fields it was made from. */
export class EpochscopeError extends Error {
  override readonly name = 'EpochscopeError';
  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly fields: ErrorFields = {},
    options?: ErrorOptions,
  ) {
    super(printable(message), options);
  }
}

/** Throws an EpochscopeError unless `condition` holds. The message is built only on failure. */
export function guard(
  condition: unknown,
  code: ErrorCode,
  message: string | (() => string),
  fields?: ErrorFields,
): asserts condition {
  if (!condition) throw new EpochscopeError(code, typeof message === 'string' ? message : message(), fields);
}

/** "1.5 GB", "340 MB": the figure shown wherever memory is stated. Decimal units. */
export function formatBytes(bytes: number): string {
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(1)} GB`;
  if (bytes >= 1e6) return `${Math.round(bytes / 1e6)} MB`;
  if (bytes >= 1e3) return `${Math.round(bytes / 1e3)} kB`;
  return `${bytes} bytes`;
}
