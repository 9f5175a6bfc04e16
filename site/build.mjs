// The documentation as a site, called by scripts/site.mjs once packages are built and this folder's own are installed: pages gathered from
// where they stand in the repository, the API from the docstrings, elements from their manifest with living examples, and the workbench.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build as buildSite } from 'vitepress';
import { writeApi } from './api.mjs';
import { writeElements } from './elements.mjs';
import { checkLinks } from './links.mjs';
import { gather } from './pages.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const root = join(here, '..');
const pages = join(here, '.pages');
const out = join(root, 'release', 'site');

rmSync(pages, { recursive: true, force: true });
mkdirSync(join(pages, 'public'), { recursive: true });

const manifest = JSON.parse(readFileSync(join(root, 'packages/ui/dist/custom-elements.json'), 'utf8'));
gather(root, pages);
writeElements(manifest, join(pages, 'elements'));
await writeApi(root, pages);

// The workbench, whole, and a module of elements with their examples: both built by the repository's own Vite.
const app = join(pages, 'public', 'app');
cpSync(join(root, 'packages/ui/dist/dashboard'), app, { recursive: true });
const start = readFileSync(join(app, 'index.html'), 'utf8');
const whole = start.replace('<div id="epochscope"', '<div id="epochscope" data-static');
if (whole === start)
  throw new Error(
    `${app}/index.html: expected <div id="epochscope">, which is to say that no server answers`,
  );
writeFileSync(join(app, 'index.html'), whole);
execFileSync(process.execPath, [join(root, 'scripts/examples.mjs'), join(pages, 'public', 'examples')], {
  stdio: ['ignore', 'inherit', 'inherit'],
});

cpSync(join(here, 'vitepress'), join(pages, '.vitepress'), { recursive: true });
writeFileSync(join(pages, '.vitepress', 'sidebar.json'), JSON.stringify(sidebar()));
process.chdir(pages);
await buildSite(pages, { outDir: out });

const { pages: count, links, problems } = checkLinks(out);
for (const problem of problems) process.stderr.write(`${problem}\n`);
process.stdout.write(`${out}: ${count} pages, ${links} links, ${problems.length} dead\n`);
if (problems.length) process.exit(1);

function sidebar() {
  const titled = (folder) =>
    readdirSync(join(pages, folder))
      .filter((name) => name.endsWith('.md') && name !== 'index.md')
      .map((name) => ({
        text:
          /^# (.*)$/m.exec(readFileSync(join(pages, folder, name), 'utf8'))?.[1].replaceAll('`', '') ?? name,
        link: `/${folder}/${name.slice(0, -3)}`,
      }));
  const group = (text, folder, collapsed = false) => ({ text, collapsed, items: titled(folder) });
  return [
    {
      text: 'Start',
      items: [
        { text: 'Overview', link: '/overview' },
        { text: 'Glossary', link: '/glossary' },
        { text: 'Gallery', link: '/gallery' },
      ],
    },
    group('Guides', 'guides'),
    {
      ...group('Methods', 'methods'),
      items: [{ text: 'Mathematics', link: '/mathematics' }, ...titled('methods')],
    },
    { text: 'Elements', link: '/elements/', collapsed: true, items: titled('elements') },
    { text: 'API', link: '/api/', collapsed: true, items: apiItems() },
    group('Files', 'formats', true),
    group('Claims of the papers', 'claims', true),
    group('Decisions', 'decisions', true),
    {
      text: 'More',
      collapsed: true,
      items: [
        { text: 'Architecture', link: '/architecture' },
        { text: 'Benchmarks', link: '/benchmarks' },
        { text: 'Changes', link: '/changes' },
        { text: 'Releasing', link: '/release' },
        { text: 'Security', link: '/security' },
      ],
    },
  ];
}

function apiItems() {
  return readdirSync(join(pages, 'api'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => ({
      text: name === 'core-wasm' || name === 'analysis' || name === 'ui' ? `@epochscope/${name}` : name,
      link: `/api/${name}/`,
      items: readdirSync(join(pages, 'api', name))
        .filter((file) => file.endsWith('.md') && file !== 'index.md')
        .map((file) => ({ text: file.slice(0, -3), link: `/api/${name}/${file.slice(0, -3)}` })),
    }));
}
