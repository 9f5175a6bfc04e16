import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

// Blocks of the README and the guides, and which test runs which: tests/blocks.test.ts fails where one is run by none and the document
// does not say why, in a comment above it: `<!-- not run: REASON -->`.

export const root = fileURLToPath(new URL('..', import.meta.url));

export interface Block {
  /** 'README.md', 'docs/guides/jax.md'. */
  document: string;
  line: number;
  /** What stands after the three backquotes: 'js run'. */
  kind: string;
  text: string;
  /** Why it is not run, as the document says. */
  notRun: string | null;
}

const GUIDES = 'docs/guides';
export const DOCUMENTS = [
  'README.md',
  ...readdirSync(join(root, GUIDES))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `${GUIDES}/${name}`),
];

export function blocksOf(document: string): Block[] {
  const whole = readFileSync(join(root, document), 'utf8');
  return [...whole.matchAll(/(?:^<!-- not run: ([^\n]*?) -->\n+)?^( *)```([^\n`]*)\n(.*?)^\2```$/gms)].map(
    (match) => ({
      document,
      line: whole.slice(0, match.index + match[0].indexOf('```')).split('\n').length,
      kind: match[3]!.trim(),
      text: match[4]!,
      notRun: match[1] ?? null,
    }),
  );
}

/** Guides whose Python is one script, which their `sh` goes on with. */
const TRAININGS = ['pytorch', 'keras', 'jax'];
/** Those with commands and what they print, and programs that go on with their files. */
const SESSIONS = ['any-matrix', 'features', 'pruning', 'rules', 'what-changed'];
/** Those that want a hub, a queue, a page or nets of others. */
const ELSEWHERE = ['dashboards', 'keras', 'kernels', 'nets', 'outgrown', 'public-series'];
const stands = (block: Block, guides: readonly string[]) =>
  guides.some((name) => block.document === `${GUIDES}/${name}.md`);
const isSession = (block: Block) => block.kind === '' && block.text.startsWith('$ epochscope ');

const RUN_BY: Readonly<Record<string, (block: Block) => boolean>> = {
  'guides.test.ts': ({ kind }) => kind === 'js run',
  'notebook.slow.test.ts': ({ kind }) => kind === 'python notebook',
  'guides-python.slow.test.ts': (block) => stands(block, TRAININGS) && /^(?:python|sh)$/.test(block.kind),
  'guides-commands.slow.test.ts': (block) =>
    (isSession(block) && (block.document === 'README.md' || stands(block, SESSIONS))) ||
    (stands(block, SESSIONS) && /^(?:python|js|sh)$/.test(block.kind)),
  'readme.slow.test.ts': (block) => block.document === 'README.md' && block.kind === 'sh',
  'guides-elsewhere.slow.test.ts': (block) =>
    stands(block, ELSEWHERE) &&
    /^(?:js|html|sh)$/.test(block.kind) &&
    !RUN_BY['guides-python.slow.test.ts']!(block),
};
export const RUNNERS = Object.keys(RUN_BY);

/** The blocks that a test is to run, all of them. */
export const blocksRunBy = (test: string): Block[] =>
  DOCUMENTS.flatMap(blocksOf).filter((block) => !block.notRun && RUN_BY[test]!(block));
