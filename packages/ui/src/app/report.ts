// The script of the page: the dashboard over what stands in the page itself (a report opened from disk), or over the server
// whose page it is. No fetch in the first case, so that it opens from disk.
import { setFontFolder } from '../figure/index.js';
import '../register.js';
import { EsDashboard } from './es-dashboard.js';
import { EsResultPanel } from './es-result-panel.js';
import { EsWeightsPanel } from './es-weights-panel.js';
import { HttpSource } from './http-source.js';
import { InlineSource } from './source.js';

customElements.define('es-result-panel', EsResultPanel);
customElements.define('es-weights-panel', EsWeightsPanel);
customElements.define('es-dashboard', EsDashboard);

// A served script lies beside the fonts; one inside its page has no address, and its page holds them.
const here = (document.currentScript as HTMLScriptElement | null)?.src;
if (here) setFontFolder(new URL('fonts/', here).href);

function start(): void {
  const root = document.getElementById('epochscope')!;
  try {
    const served = document.getElementById('epochscope-server');
    const dashboard = new EsDashboard();
    root.textContent = '';
    if (served) {
      root.append(Object.assign(document.createElement('h1'), { textContent: 'Epochscope' }));
      dashboard.source = new HttpSource();
    }
    if (!served) {
      const source = new InlineSource(document);
      const page = source.first;
      if (page)
        root.append(
          Object.assign(document.createElement('h1'), { textContent: page.title }),
          Object.assign(document.createElement('p'), {
            className: 'quiet',
            textContent: `Epochscope ${page.manifest?.tool.version ?? ''} · ${page.written.slice(0, 10)}${page.manifest?.complete === false ? ' · training was not complete' : ''}`,
          }),
        );
      dashboard.source = source;
    }
    root.append(dashboard);
    root.dataset.ready = 'true';
  } catch (error) {
    root.textContent = `This page could not be drawn: ${(error as Error).message}`;
    root.setAttribute('role', 'alert');
  }
}

document.getElementById('epochscope-theme')?.addEventListener('click', () => {
  const { style } = document.documentElement;
  const dark = style.colorScheme
    ? style.colorScheme === 'dark'
    : matchMedia('(prefers-color-scheme: dark)').matches;
  style.colorScheme = dark ? 'light' : 'dark';
});
start();
