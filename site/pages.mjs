// Pages of the repository as pages of the site: where each goes, and links between them as they are there. A link to what the site does not
// hold (a folder of sources) becomes its name: the code's address is known to nobody here (docs/release.md).
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';

const IMAGE = /\.(?:png|svg|jpe?g|gif)$/i;

/** Path in the repository → path in the site. */
function places(root) {
  const all = {
    'README.md': 'overview.md',
    'ARCHITECTURE.md': 'architecture.md',
    'CHANGELOG.md': 'changes.md',
    'CONTRIBUTING.md': 'contributing.md',
    'SECURITY.md': 'security.md',
    'integrations/python/README.md': 'guides/python.md',
    'integrations/slurm/README.md': 'guides/slurm.md',
    'integrations/snakemake/README.md': 'guides/snakemake.md',
    'packages/core-wasm/README.md': 'packages/core-wasm.md',
    'packages/analysis/README.md': 'packages/analysis.md',
    'packages/ui/README.md': 'packages/ui.md',
    'packages/cli/README.md': 'packages/cli.md',
  };
  for (const name of readdirSync(join(root, 'docs'), { recursive: true }).map((path) =>
    path.replaceAll('\\', '/'),
  ))
    if (name.endsWith('.md')) all[`docs/${name}`] = name.replace(/README\.md$/, 'index.md');
  const methods = 'packages/analysis/src/methods';
  for (const name of readdirSync(join(root, methods)))
    if (existsSync(join(root, methods, name, 'README.md')))
      all[`${methods}/${name}/README.md`] = `methods/${name}.md`;
  return Object.fromEntries(Object.entries(all).filter(([from]) => existsSync(join(root, from))));
}

/** Writes the pages and the images they show. */
export function gather(root, pages) {
  const all = places(root);
  for (const [from, to] of Object.entries(all)) {
    const folder = posix.dirname(from);
    const text = outsideFences(readFileSync(join(root, from), 'utf8'), (part) =>
      part.replaceAll(/(!?)\[((?:[^[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)/g, (whole, image, words, target) => {
        if (/^(?:[a-z]+:|#)/i.test(target)) return whole;
        const [path, hash = ''] = target.split('#');
        const meant = posix.normalize(posix.join(folder, path)).replace(/\/$/, '');
        const page = all[meant] ?? all[`${meant}/README.md`];
        const back = (place) => posix.relative(posix.dirname(to), place) || posix.basename(place);
        if (page) return `${image}[${words}](./${back(page)}${hash && `#${hash}`})`;
        if (IMAGE.test(path) && existsSync(join(root, meant))) {
          const place = `images/${posix.basename(meant)}`;
          mkdirSync(join(pages, 'images'), { recursive: true });
          cpSync(join(root, meant), join(pages, place));
          return `${image}[${words}](./${back(place)})`;
        }
        if (!existsSync(join(root, meant))) throw new Error(`${from}: ${target} leads nowhere`);
        return /^`.*`$/.test(words)
          ? words
          : `${words} (\`${meant}${statSync(join(root, meant)).isDirectory() ? '/' : ''}\`)`;
      }),
    );
    mkdirSync(join(pages, dirname(to)), { recursive: true });
    writeFileSync(join(pages, to), safe(text));
  }
  for (const [page, text] of Object.entries(OWN)) writeFileSync(join(pages, page), text);
}

/** What Vue would take for a tag or an expression. */
const safe = (text) =>
  outsideCode(text, (part) =>
    part.replaceAll('{{', '&#123;&#123;').replaceAll(/<(?=[a-z]+[-\w]*[ >])/gi, '&lt;'),
  );

/** Changes a page's text but for its blocks of code; or for all code. */
const outsideFences = (text, change) => outside(/(^```[\s\S]*?^```$)/m, text, change);
const outsideCode = (text, change) => outside(/(^```[\s\S]*?^```$|`[^`\n]*`)/m, text, change);
const outside = (pattern, text, change) =>
  text
    .split(pattern)
    .map((part, i) => (i % 2 ? part : change(part)))
    .join('');

const OWN = {
  'index.md': `---
layout: page
sidebar: false
title: Epochscope
titleTemplate: what a neural network learns, epoch by epoch
---

<Workbench />
`,
  'gallery.md': `---
aside: false
---

# Gallery

Every element on small data made with a seed, drawn by the script that pages load. Each stands with its properties on [its own page](./elements/index.md).

<Gallery />
`,
};
