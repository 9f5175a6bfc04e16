/** Parts one after the other; `total` is the sum of their lengths. */
export function joinBytes(parts: Iterable<Uint8Array>, total: number): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(total);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
