import { fileURLToPath } from 'node:url';
import { playwright } from '@vitest/browser-playwright';
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

const NOT_OURS = ['**/node_modules/**', '**/dist/**'];

function node(
  name: string,
  include: string[],
  exclude: string[],
  more: TestProjectInlineConfiguration['test'] = {},
): TestProjectInlineConfiguration {
  return {
    test: {
      name,
      include,
      exclude: [...NOT_OURS, '**/*.browser.test.ts', ...exclude],
      setupFiles: [here('tests/setup.ts')],
      // Built packages are run by Node as they are: to transform them anew for each file takes longer than most tests.
      server: { deps: { external: [/\/packages\/[\w-]+\/dist\//] } },
      testTimeout: 60_000,
      expect: { poll: { timeout: 10_000 } },
      hookTimeout: 60_000,
      ...more,
    },
  };
}

/** The elements in real Chromium: CHROMIUM names the browser; scripts/test.mjs finds it. */
function browser(name: string, include: string[], exclude: string[]): TestProjectInlineConfiguration {
  return {
    root: here('.'),
    // Found while tests run, a new one would reload the page under them.
    optimizeDeps: {
      include: [
        '@tensorflow/tfjs',
        'axe-core',
        'comlink',
        'd3-scale',
        'fflate',
        'lit',
        'lit/async-directive.js',
        'lit/decorators.js',
        'lit/directive.js',
        'lit/directives/guard.js',
        'lit/directives/repeat.js',
      ],
    },
    server: {
      headers: {
        'Cross-Origin-Opener-Policy': 'same-origin',
        'Cross-Origin-Embedder-Policy': 'require-corp',
      },
    },
    test: {
      name,
      include,
      exclude: [...NOT_OURS, ...exclude],
      testTimeout: 30_000,
      expect: { poll: { timeout: 10_000 } },
      browser: {
        enabled: true,
        headless: true,
        screenshotFailures: false,
        provider: playwright({
          launchOptions: {
            executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
            args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
          },
        }),
        instances: [{ browser: 'chromium' }],
      },
    },
  };
}

/** Slurm and Snakemake: one file after another, as they share the machine's queue. */
function scale(): TestProjectInlineConfiguration {
  const project = node('scale', ['tests/scale/*.scale.test.ts'], []);
  return { ...project, test: { ...project.test, fileParallelism: false } };
}

const SLOW = ['**/*.slow.test.ts', '**/*.slow.browser.test.ts', '**/*.scale.test.ts'];

// `npm test` runs the projects node and browser; `npm run test:e2e` slow and slow-browser; `npm run test:scale` scale. What
// a file's name says (`.slow`, `.browser`, `.scale`) decides where it runs.
export default defineConfig({
  test: {
    // Vitest leaves one core free otherwise: half of a machine of two.
    maxWorkers: '100%',
    projects: [
      node('node', ['packages/*/**/*.test.ts', 'tests/**/*.test.ts', 'scripts/**/*.test.ts'], SLOW, {
        // One process runs file after file: to load the packages anew for each took a third of the time.
        isolate: false,
        // As many files run at once as there are processors: an engine takes one, unless its test says how many.
        env: { SLURM_CPUS_PER_TASK: '1' },
      }),
      browser('browser', ['packages/*/**/*.browser.test.ts', 'tests/**/*.browser.test.ts'], SLOW),
      node('slow', ['packages/*/**/*.slow.test.ts', 'tests/**/*.slow.test.ts'], []),
      scale(),
      browser('slow-browser', ['packages/*/**/*.slow.browser.test.ts'], []),
    ],
  },
});
