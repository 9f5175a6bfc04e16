import { EpochscopeError } from '@epochscope/core-wasm';

/** JSON.parse whose failure is a `format` error that names the file. */
export function parseJson(text: string, file: string): unknown {
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
