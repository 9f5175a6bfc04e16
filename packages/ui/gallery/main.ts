// The gallery page: every case, grouped by element; the hash chooses one element.
import '../src/register.js';
import { galleries } from '../src/gallery/list.js';

const list = document.getElementById('list')!;
const main = document.getElementById('cases')!;
const width = document.getElementById('width') as HTMLSelectElement;
const nameOf = (folder: string) => folder.split('/')[1]!;

function show(): void {
  const wanted = location.hash.slice(1);
  list.replaceChildren();
  main.replaceChildren();
  for (const name of ['', ...Object.keys(galleries).map(nameOf)]) {
    const link = Object.assign(document.createElement('a'), { href: `#${name}`, textContent: name || 'all' });
    if (name === wanted) link.setAttribute('aria-current', 'page');
    const item = document.createElement('li');
    item.append(link);
    list.append(item);
  }
  for (const [folder, cases] of Object.entries(galleries)) {
    if (wanted && nameOf(folder) !== wanted) continue;
    const section = document.createElement('section');
    section.append(Object.assign(document.createElement('h2'), { textContent: nameOf(folder) }));
    for (const one of cases) {
      const element = Object.assign(document.createElement(one.tag), one.properties());
      const limit = Math.min(
        one.width ?? Number.POSITIVE_INFINITY,
        Number(width.value) || Number.POSITIVE_INFINITY,
      );
      if (Number.isFinite(limit)) element.style.maxInlineSize = `${limit}px`;
      section.append(Object.assign(document.createElement('h3'), { textContent: one.title }), element);
    }
    main.append(section);
  }
}
addEventListener('hashchange', show);
width.addEventListener('change', show);
document.getElementById('theme')!.addEventListener('click', () => {
  const { style } = document.documentElement;
  const dark = style.colorScheme
    ? style.colorScheme === 'dark'
    : matchMedia('(prefers-color-scheme: dark)').matches;
  style.colorScheme = dark ? 'light' : 'dark';
});
show();
