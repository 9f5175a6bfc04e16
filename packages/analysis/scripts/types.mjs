// `npm run build` after tsc: declarations name types/tfjs.d.ts instead of tfjs, so that what imports this package checks without
// `skipLibCheck`. Fails where a declaration names a type that is not there.
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('..', import.meta.url));
const dist = join(here, 'dist');
const ours = join(dist, 'types', 'tfjs.js');
const known = [
  ...readFileSync(join(here, 'types', 'tfjs.d.ts'), 'utf8').matchAll(
    /^export (?:declare )?(?:interface|type|function|namespace) (\w+)/gm,
  ),
].map(([, name]) => name);

mkdirSync(dirname(ours), { recursive: true });
copyFileSync(join(here, 'types', 'tfjs.d.ts'), ours.replace(/\.js$/, '.d.ts'));
for (const file of readdirSync(dist, { recursive: true }).map((name) => join(dist, name))) {
  if (!file.endsWith('.d.ts')) continue;
  const before = readFileSync(file, 'utf8');
  const path = relative(dirname(file), ours).split(sep).join('/');
  const after = before.replace(/^(import type (.*) from )'@tensorflow\/tfjs';$/gm, (_, start, names) => {
    for (const [, name] of names.startsWith('{') ? names.matchAll(/(\w+)(?: as \w+)?(?=,| \})/g) : [])
      if (!known.includes(name))
        throw new Error(
          `${file}: ${name} of tfjs is not in packages/analysis/types/tfjs.d.ts: declare there what of it stands in a declaration`,
        );
    return `${start}'${path.startsWith('.') ? path : `./${path}`}';`;
  });
  if (/^(?:import|export) .*@tensorflow|import\(['"]@tensorflow/m.test(after))
    throw new Error(`${file} names tfjs's types otherwise than by "import type"`);
  if (after !== before) writeFileSync(file, after);
}
