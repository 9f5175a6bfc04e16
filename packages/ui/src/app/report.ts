// The script of the page: the dashboard over what stands in the page itself (a report opened from disk), or over the server
// whose page it is. No fetch in the first case, so that it opens from disk.
import { drawWith } from '../figure/fonts.js';
import { setFontFolder } from '../figure/index.js';
import '../register.js';
import { EsComputeForm } from './es-compute-form.js';
import { EsDashboard } from './es-dashboard.js';
import { EsNotices } from './es-notices.js';
import { EsResultPanel } from './es-result-panel.js';
import { EsWeightsPanel } from './es-weights-panel.js';
import { HttpSource } from './http-source.js';
import { InlineSource } from './source.js';

customElements.define('es-compute-form', EsComputeForm);
customElements.define('es-notices', EsNotices);
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
    dashboard.source = served ? new HttpSource() : new InlineSource(document);
    root.textContent = '';
    root.append(dashboard);
    root.dataset.ready = 'true';
  } catch (error) {
    root.textContent = `This page could not be drawn: ${(error as Error).message}`;
    root.setAttribute('role', 'alert');
  }
}
void pageFont().finally(start);

/** The type of the page: a report opened from disk holds it, as PDFs embed it. */
async function pageFont(): Promise<void> {
  const held = document.getElementById('epochscope-fonts')?.textContent;
  if (!held) return;
  await drawWith(JSON.parse(held));
}
