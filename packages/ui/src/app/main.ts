// The workbench's entry, an ES module: what `epochscope serve` serves, and any static host. What computes is loaded when it is used.
import { EsSampleGallery } from '../elements/es-sample-gallery/index.js';
import { EsTendencyImage } from '../elements/es-tendency-image/index.js';
import { setFontFolder } from '../figure/index.js';
import { EsApp } from './es-app.js';
import { EsComputeForm } from './es-compute-form.js';
import { EsDashboard } from './es-dashboard.js';
import { EsMatrixBar } from './es-matrix-bar.js';
import { EsNotices } from './es-notices.js';
import { EsResultPanel } from './es-result-panel.js';
import { EsTrainingBar } from './es-training-bar.js';
import { EsWeightsPanel } from './es-weights-panel.js';
import { ServedSource } from './served-source.js';

EsResultPanel.load = () => import('../register.js');
customElements.define('es-tendency-image', EsTendencyImage);
customElements.define('es-sample-gallery', EsSampleGallery);
customElements.define('es-compute-form', EsComputeForm);
customElements.define('es-notices', EsNotices);
customElements.define('es-result-panel', EsResultPanel);
customElements.define('es-weights-panel', EsWeightsPanel);
customElements.define('es-matrix-bar', EsMatrixBar);
customElements.define('es-training-bar', EsTrainingBar);
customElements.define('es-dashboard', EsDashboard);
customElements.define('es-app', EsApp);

setFontFolder(new URL(/* @vite-ignore */ 'fonts/', import.meta.url).href);

const root = document.getElementById('epochscope')!;
const app = new EsApp();
// A static host answers no /api, or says in the page that there is none and need not be asked.
const served =
  !('static' in root.dataset) &&
  (await fetch('/api/runs', { method: 'HEAD' }).then(
    (answer) => answer.ok && (answer.headers.get('content-type') ?? '').includes('json'),
    () => false,
  ));
if (served) app.source = new ServedSource();
root.textContent = '';
root.append(app);
root.dataset.ready = 'true';

// Offline after the first visit; where the host sends no headers for it, the page is isolated after one reload, which is done before
// anything is opened. Not for a server of ours, which sends them and whose runs change.
if (!served && 'serviceWorker' in navigator && isSecureContext) {
  const before = navigator.serviceWorker.controller;
  navigator.serviceWorker.register(new URL(/* @vite-ignore */ '../sw.js', import.meta.url)).catch(() => {});
  if (!before && !crossOriginIsolated)
    navigator.serviceWorker.addEventListener(
      'controllerchange',
      () => !app.source && !app.used && location.reload(),
      {
        once: true,
      },
    );
}
