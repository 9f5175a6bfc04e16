import { type Dataset, openDataset, type RunManifest } from '@epochscope/analysis';
import { EpochscopeError, guard } from '@epochscope/core-wasm';

/**
 * The data a run was trained on: `where` (as --data takes it), or what run.json says of it ("mnist (/home/me/mnist)").
 * Throws `argument` when neither says, or when its pictures or classes are not the run's.
 */
export async function dataOfRun(directory: string, manifest: RunManifest, where?: string): Promise<Dataset> {
  const said = /^(.*) \((.+)\)$/.exec(String(manifest.training?.data ?? ''));
  const place = where ?? (said?.[1] === 'mnist-bundled' ? 'bundled' : said?.[2]);
  guard(
    place,
    'argument',
    () => `${directory} does not say what it was trained on; give the data as --data`,
    { path: directory },
  );
  const data = await openDataset(place).catch((cause) => {
    if (where || !(cause instanceof EpochscopeError)) throw cause;
    throw new EpochscopeError(
      cause.code,
      `${directory} was trained on ${place}, which cannot be read (${cause.message}); give the data as --data`,
      { path: directory, data: place },
      { cause },
    );
  });
  guard(
    !manifest.inputShape || manifest.inputShape.join() === data.shape.join(),
    'argument',
    () =>
      `${place}: ${directory} takes pictures of ${manifest.inputShape!.join('×')}, got ${data.shape.join('×')}`,
    { expected: manifest.inputShape?.join('×'), got: data.shape.join('×') },
  );
  guard(
    !manifest.classes || manifest.classes.length === data.classes.length,
    'argument',
    () =>
      `${place}: ${directory} has ${manifest.classes!.length} classes, the data has ${data.classes.length}`,
    { expected: manifest.classes?.length, got: data.classes.length },
  );
  return data;
}
