import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { blocksOf, blocksRunBy, DOCUMENTS, RUNNERS, root } from './blocks.js';

// Every block of the README and the guides is run by a test, or the document says why not.

const run = new Set(
  RUNNERS.flatMap((test) => blocksRunBy(test).map(({ document, line }) => `${document}:${line}`)),
);

describe.each(DOCUMENTS)('%s', (document) => {
  it('has no block that is neither run nor says why', () => {
    const left = blocksOf(document).filter(({ line, notRun }) => !notRun && !run.has(`${document}:${line}`));
    expect(left.map(({ line, kind, text }) => `${document}:${line} "${kind}" ${text.slice(0, 60)}`)).toEqual(
      [],
    );
  });

  it('closes each block', () => {
    const text = readFileSync(join(root, document), 'utf8');
    expect([...text.matchAll(/^ *```/gm)]).toHaveLength(2 * blocksOf(document).length);
  });
});

it.each(RUNNERS)('%s runs those that are its own', (test) => {
  expect(blocksRunBy(test).length).toBeGreaterThan(0);
  expect(readFileSync(join(root, 'tests', test), 'utf8')).toContain(`blocksRunBy('${test}')`);
});
