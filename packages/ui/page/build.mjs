// After the script was built: the page's style, and the folder that `epochscope serve` serves (dist/dashboard).
import { copyFileSync, mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const ui = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
mkdirSync(ui('dist/dashboard/assets'), { recursive: true });
copyFileSync(ui('page/page.css'), ui('dist/app/page.css'));
copyFileSync(ui('page/index.html'), ui('dist/dashboard/index.html'));
copyFileSync(ui('page/page.css'), ui('dist/dashboard/assets/page.css'));
copyFileSync(ui('dist/app/report.js'), ui('dist/dashboard/assets/report.js'));
