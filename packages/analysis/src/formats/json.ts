import { EpochscopeError } from '@epochscope/core-wasm';

/** Lists and objects in each other; nets and results have some thirty. */
export const MAX_JSON_DEPTH = 200;

/** Throws `format` for text nested deeper than whoever walks it could follow. O(characters), without parsing. */
function assertShallow(text: string, file: string): void {
  let depth = 0;
  let inText = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (inText) {
      if (code === 0x5c) i++;
      else if (code === 0x22) inText = false;
    } else if (code === 0x22) inText = true;
    else if (code === 0x5b || code === 0x7b) {
      if (++depth > MAX_JSON_DEPTH)
        throw new EpochscopeError(
          'format',
          `${file}: expected lists and objects nested at most ${MAX_JSON_DEPTH} deep (character ${i})`,
          { file },
        );
    } else if (code === 0x5d || code === 0x7d) depth--;
  }
}

/**
 * JSON.parse whose failure is a `format` error that names the file, also for text nested too deep to be walked. A key `__proto__` is a
 * key like any other.
 */
export function parseJson(text: string, file: string): unknown {
  assertShallow(text, file);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new EpochscopeError(
      'format',
      `${file}: not JSON: ${(cause as Error).message.slice(0, 200)}`,
      { file },
      { cause },
    );
  }
}

/**
 * A value of unknown origin as a short text for messages. Never calls a method of the value, nor goes deep into it: texts in quotes,
 * numbers as they are, of lists and objects the first few items, those inside as "[…]" and "{…}".
 */
export function shown(value: unknown, most = 100): string {
  const cut = (text: string) => (text.length > most ? `${text.slice(0, most)}…` : text);
  const one = (item: unknown, inside: boolean): string => {
    switch (typeof item) {
      case 'string':
        return JSON.stringify(cut(item));
      case 'number':
      case 'boolean':
      case 'undefined':
        return `${item}`;
      case 'bigint':
        return cut(item.toString());
      case 'object':
        if (item === null) return 'null';
        if (inside) return Array.isArray(item) ? '[…]' : '{…}';
        return Array.isArray(item)
          ? `[${item
              .slice(0, 8)
              .map((part) => one(part, true))
              .join(', ')}${item.length > 8 ? ', …' : ''}]`
          : `{${Object.keys(item)
              .slice(0, 6)
              .map((key) => JSON.stringify(cut(key)))
              .join(', ')}${Object.keys(item).length > 6 ? ', …' : ''}}`;
      default:
        return `a ${typeof item}`;
    }
  };
  return cut(one(value, false));
}

/** What JSON calls an object: no list, no null. */
export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
