/** NumPy's own limit on dimensions. */
export const MAX_NPY_DIMENSIONS = 64;

// The header of an .npy file is a Python dict literal with exactly the keys descr, fortran_order and shape
// (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html). This reads that and nothing more of Python.

export interface NpyLiteral {
  descr: string;
  fortranOrder: boolean;
  shape: number[];
}

/** Longest text value: real ones have 3 characters. */
const MAX_TEXT = 64;

/**
 * Parses the header text. `fail` is called with what was expected and where, and must throw. Text values have no escapes;
 * numbers are whole and may end in L (Python 2); one trailing comma is fine, as in Python; nothing may follow but blanks.
 */
export function parseNpyHeader(text: string, fail: (message: string, at: number) => never): NpyLiteral {
  let at = 0;
  const skip = () => {
    while (at < text.length && ' \t\n\r\f'.includes(text[at]!)) at++;
  };
  const got = () => (at < text.length ? JSON.stringify(text.slice(at, at + 12)) : 'the end');
  const expected = (what: string): never => fail(`expected ${what} in the header, got ${got()}`, at);
  const take = (char: string): boolean => {
    skip();
    if (text[at] !== char) return false;
    at++;
    return true;
  };
  const need = (char: string) => take(char) || expected(`"${char}"`);
  const textValue = (what: string): string => {
    skip();
    const quote = text[at];
    if (quote !== "'" && quote !== '"') return expected(what);
    const end = text.indexOf(quote, at + 1);
    if (end < 0 || end - at - 1 > MAX_TEXT) return expected(`${what} of at most ${MAX_TEXT} characters`);
    const value = text.slice(at + 1, end);
    if (/[\\\n]/.test(value)) return expected(`${what} without escapes`);
    at = end + 1;
    return value;
  };
  const truth = (): boolean => {
    skip();
    for (const word of ['True', 'False'])
      if (text.startsWith(word, at) && !/\w/.test(text[at + word.length] ?? '')) {
        at += word.length;
        return word === 'True';
      }
    return expected('True or False');
  };
  const whole = (): number => {
    skip();
    const begin = at;
    while (at < text.length && text[at]! >= '0' && text[at]! <= '9') at++;
    const digits = text.slice(begin, at);
    if (digits === '' || digits.length > 20) {
      at = begin;
      return expected('a whole number ≥ 0 for each dimension of "shape"');
    }
    if (text[at] === 'L') at++;
    return Number(digits);
  };
  const tuple = (): number[] => {
    need('(');
    const sides: number[] = [];
    let comma = true;
    while (!take(')')) {
      if (!comma) return expected('"," or ")"');
      if (sides.length === MAX_NPY_DIMENSIONS) return expected(`at most ${MAX_NPY_DIMENSIONS} dimensions`);
      sides.push(whole());
      comma = take(',');
    }
    if (sides.length === 1 && !comma) return expected('a tuple: a shape of one side ends in ","');
    return sides;
  };

  const found: Partial<NpyLiteral> = {};
  need('{');
  let comma = true;
  while (!take('}')) {
    if (!comma) expected('"," or "}"');
    const place = at;
    const key = textValue('a key');
    const name = key === 'fortran_order' ? 'fortranOrder' : key;
    if (name in found) fail(`the header gives "${key}" twice`, place);
    need(':');
    if (name === 'descr') {
      skip();
      // A list of fields or a tuple is a structured type.
      if (text[at] === '[' || text[at] === '(')
        fail('expected a number dtype, got a structured one: save each field as its own array', at);
      found.descr = textValue('the dtype as text');
    } else if (name === 'fortranOrder') found.fortranOrder = truth();
    else if (name === 'shape') found.shape = tuple();
    else fail(`the header has an unknown key "${key}"`, place);
    comma = take(',');
  }
  skip();
  if (at < text.length) expected('nothing after the closing brace');
  for (const [key, value] of [
    ['descr', found.descr],
    ['fortran_order', found.fortranOrder],
    ['shape', found.shape],
  ] as const)
    if (value === undefined) fail(`the header has no "${key}"`, 0);
  return found as NpyLiteral;
}
