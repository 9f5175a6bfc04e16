import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const sidebar = JSON.parse(readFileSync(fileURLToPath(new URL('sidebar.json', import.meta.url)), 'utf8'));

export default {
  title: 'Epochscope',
  description: 'Shows what a neural network learns, epoch by epoch.',
  base: process.env.SITE_BASE ?? '/',
  lang: 'en',
  head: [['link', { rel: 'icon', href: 'data:,' }]],
  cleanUrls: false,
  ignoreDeadLinks: false,
  srcExclude: ['public/**'],
  markdown: { math: true },
  vue: { template: { compilerOptions: { isCustomElement: (tag) => tag.startsWith('es-') } } },
  themeConfig: {
    nav: [
      { text: 'Guides', link: '/guides/any-matrix', activeMatch: '^/guides/' },
      { text: 'Methods', link: '/mathematics', activeMatch: '^/(methods|mathematics)' },
      { text: 'Elements', link: '/elements/', activeMatch: '^/elements/' },
      { text: 'Gallery', link: '/gallery' },
      { text: 'API', link: '/api/', activeMatch: '^/api/' },
    ],
    sidebar,
    outline: [2, 3],
    search: {
      provider: 'local',
      options: { _render: (src, env, md) => (env.frontmatter?.search === false ? '' : md.render(src, env)) },
    },
  },
};
