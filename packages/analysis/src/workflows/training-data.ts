import { EpochscopeError, guard } from '@epochscope/core-wasm';
import type { Dataset } from '../datasets/types.js';
import type { Run } from '../run/types.js';

/** Where the data lies that a run was trained on: as given, or as run.json says ("mnist (/home/me/mnist)"). Throws `argument`. */
export function trainingPlace({ manifest, store }: Run, given: string | null): string {
  const said = /^(.*) \((.+)\)$/.exec((manifest.training?.data as string | null | undefined) ?? '');
  const place = given ?? (said?.[1] === 'mnist-bundled' ? 'bundled' : said?.[2]);
  guard(
    place,
    'argument',
    () => `${store.name} does not say what it was trained on; give the data (option data)`,
    { path: store.name },
  );
  return place;
}

/** That data. Throws `argument` when its pictures or classes are not the run's, and as `dataset`. */
export async function trainingData(
  { manifest, store }: Run,
  place: string,
  given: string | null,
  dataset: (where: string) => Promise<Dataset>,
): Promise<Dataset> {
  const where = store.name;
  const data = await dataset(place).catch((cause) => {
    if (given !== null || !(cause instanceof EpochscopeError)) throw cause;
    throw new EpochscopeError(
      cause.code,
      `${where} was trained on ${place}, which cannot be read (${cause.message}); give the data (option data)`,
      { path: where, data: place },
      { cause },
    );
  });
  guard(
    !manifest.inputShape || manifest.inputShape.join() === data.shape.join(),
    'argument',
    () =>
      `${place}: ${where} takes pictures of ${manifest.inputShape!.join('×')}, got ${data.shape.join('×')}`,
    { expected: manifest.inputShape?.join('×'), got: data.shape.join('×') },
  );
  guard(
    !manifest.classes || manifest.classes.length === data.classes.length,
    'argument',
    () => `${place}: ${where} has ${manifest.classes!.length} classes, the data has ${data.classes.length}`,
    { expected: manifest.classes?.length, got: data.classes.length },
  );
  return data;
}
