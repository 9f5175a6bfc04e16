// `npm run build` after tsc: the scripts with everything inside, the pages' files, and custom-elements.json.
import { copyFileSync, cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { manifestOf } from './manifest.mjs';

const ui = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));

async function bundle(entry, folder, file, format, name) {
  await build({
    configFile: false,
    root: ui(''),
    logLevel: 'warn',
    // Classic scripts have no address of their own.
    define: format === 'iife' ? { 'import.meta.url': '""' } : {},
    build: {
      outDir: ui(folder),
      emptyOutDir: false,
      target: 'es2022',
      lib: { entry: ui(entry), formats: [format], name, fileName: () => file },
      minify: true,
    },
  });
}

// The page's script is inlined by the CLI; the other two are for people's pages: a classic script, which also works from
// file:, and a module.
await bundle('src/app/report.ts', 'dist/app', 'report.js', 'iife', 'EpochscopeReport');
await bundle('src/cdn.ts', 'dist/cdn', 'epochscope.js', 'iife', 'Epochscope');
await bundle('src/cdn.ts', 'dist/cdn', 'epochscope.mjs', 'es', 'Epochscope');

mkdirSync(ui('dist/dashboard/assets'), { recursive: true });
copyFileSync(ui('page/page.css'), ui('dist/app/page.css'));
copyFileSync(ui('page/index.html'), ui('dist/dashboard/index.html'));
copyFileSync(ui('page/page.css'), ui('dist/dashboard/assets/page.css'));
copyFileSync(ui('dist/app/report.js'), ui('dist/dashboard/assets/report.js'));
// What PDFs embed: fetched when the first is saved.
for (const folder of ['dist/fonts', 'dist/dashboard/assets/fonts'])
  cpSync(ui('fonts'), ui(folder), { recursive: true });

writeFileSync(ui('dist/custom-elements.json'), `${JSON.stringify(manifestOf(ui('')), null, 1)}\n`);
