import { EpochscopeError, guard } from '@epochscope/core-wasm';
import { tensorToMatrix } from '../../formats/matrix.js';
import { idsOfTexts, readTexts, readTokenizer } from '../../formats/tokenizer.js';
import type { Tensor } from '../../formats/types.js';
import { type FilePlace, openBeside } from '../../stores/file.js';
import { type ArrayPlace, readArray, withArrayFile } from '../array-file.js';

const isTensor = (x: Tensor | ArrayPlace): x is Tensor => typeof x === 'object' && 'dtype' in x;

/** Samples as bytes or float32, which runs hold. Throws as `readArray`. */
export async function samplesOf(inputs: Tensor | ArrayPlace | undefined): Promise<Tensor | undefined> {
  if (inputs === undefined || isTensor(inputs)) return inputs;
  const tensor = await readArray(inputs).catch((cause) => {
    if (cause instanceof EpochscopeError && /\.txt$/i.test(String(cause.fields.file ?? '')))
      throw new EpochscopeError(
        cause.code,
        `${cause.message}. If these are texts, give the tokenizer.json of their net (option tokenizer), or save as .npy the ids that its tokenizer gives`,
        cause.fields,
        { cause },
      );
    throw cause;
  });
  if (tensor.data instanceof Uint8Array) return tensor;
  const { data } = tensorToMatrix(tensor, 'inputs');
  return { data, shape: tensor.shape, dtype: 'float32' };
}

/** Texts as token ids, and what to say of them; null where no tokenizer is given. Throws `argument`, and as `readTokenizer`, `idsOfTexts`. */
export async function tokensOf(
  inputs: Tensor | ArrayPlace | undefined,
  tokenizer: FilePlace | undefined,
  length: number | undefined,
): Promise<{ inputs: Tensor; note: string } | null> {
  guard(
    length === undefined || (tokenizer !== undefined && Number.isInteger(length) && length > 0),
    'argument',
    () =>
      tokenizer === undefined
        ? 'a length of texts (option length) goes with a tokenizer (option tokenizer)'
        : `length: expected an integer ≥ 1, got ${length}`,
  );
  if (tokenizer === undefined) return null;
  if (inputs === undefined || isTensor(inputs))
    throw new EpochscopeError(
      'argument',
      'a tokenizer (option tokenizer) needs texts (option inputs): a file, one text a line',
    );
  const { name, open } = await openBeside(tokenizer);
  const encode = await readTokenizer(open, name);
  return withArrayFile(inputs, async (file) => {
    const texts = await readTexts(file);
    const { ids, cut } = await idsOfTexts(texts, encode, file.name, length ?? null);
    const [, count] = ids.shape;
    const { data } = tensorToMatrix(ids, file.name);
    return {
      inputs: { data, shape: ids.shape, dtype: 'float32' },
      note: `${texts.length} texts of ${count} tokens each${cut ? `: ${cut} were longer and are cut` : ''}`,
    };
  });
}
