/* A document's blocks. A box and its text light each other; arrows go from one to the next in the reading order. */
const ends = (key) => [...element.querySelectorAll(`[data-box="${CSS.escape(key)}"]`)];
const side = (node) => [...node.parentElement.querySelectorAll(':scope > [data-box]')];
let lit = '';

const light = (keys, from) => {
  if (keys.join() === lit) return;
  element.querySelectorAll('.lit').forEach((node) => node.classList.remove('lit'));
  lit = keys.join();
  for (const node of keys.flatMap(ends)) {
    node.classList.add('lit');
    const frame = node.closest('.scroll');
    if (!frame || node === from) continue;
    const [inner, outer] = [node.getBoundingClientRect(), frame.getBoundingClientRect()];
    if (inner.top < outer.top || inner.bottom > outer.bottom)
      frame.scrollTop += inner.top - outer.top - Math.max(8, (outer.height - inner.height) / 2);
  }
};
const box = (event) => event.target.closest?.('[data-box]');
const area = (node) => { const { width, height } = node.getBoundingClientRect(); return width * height; };

/* Boxes lie over each other: of each model's the smallest at this place, so that both readings of it are seen. */
const under = (event) => {
  const found = document.elementsFromPoint(event.clientX, event.clientY).map((node) => node.closest('g[data-box]'));
  const smallest = new Map();
  for (const node of new Set(found.filter((node) => node && element.contains(node)))) {
    const layer = node.parentElement;
    if (!smallest.has(layer) || area(node) < area(smallest.get(layer))) smallest.set(layer, node);
  }
  return [...smallest.values()].map((node) => node.dataset.box);
};
const look = (event) => {
  const node = box(event);
  light(event.target.closest?.('.canvas') ? under(event) : node ? [node.dataset.box] : [], node);
};
element.addEventListener('pointermove', look);
element.addEventListener('pointerdown', look);
element.addEventListener('pointerleave', () => light([]));
element.addEventListener('focusin', (event) => { const node = box(event); if (node) light([node.dataset.box], node); });
element.addEventListener('focusout', (event) => { if (box(event)) light([]); });

const STEPS = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 };
element.addEventListener('keydown', (event) => {
  const node = box(event);
  if (!node) return;
  const all = side(node);
  const at = { Home: 0, End: all.length - 1 }[event.key] ?? all.indexOf(node) + STEPS[event.key];
  if (event.key === 'Enter') {
    const other = ends(node.dataset.box).find((each) => each !== node);
    if (other) { event.preventDefault(); other.focus(); }
  } else if (all[at]) {
    event.preventDefault();
    all.forEach((each) => each.setAttribute('tabindex', each === all[at] ? '0' : '-1'));
    all[at].focus();
  }
});

/* A file that is no longer there is told of here; the browser alone would only say that it has failed. */
element.addEventListener('click', async (event) => {
  const link = event.target.closest('a[download]');
  if (!link) return;
  event.preventDefault();
  const answer = await fetch(link.href, { headers: { accept: 'application/json' } }).catch(() => null);
  link.parentElement.querySelector('.trouble')?.remove();
  const why = answer && !answer.ok && (await answer.json().catch(() => null))?.detail;
  if (why) {
    const trouble = document.createElement('p');
    trouble.className = 'trouble';
    trouble.setAttribute('role', 'alert');
    trouble.textContent = why;
    link.parentElement.append(trouble);
    return;
  }
  const file = document.createElement('a'); // outside this block, so that its click is the browser's own
  const named = /filename\*=UTF-8''([^;]+)/.exec(answer?.headers.get('content-disposition') || '');
  file.href = answer?.ok ? URL.createObjectURL(await answer.blob()) : link.href;
  file.download = named ? decodeURIComponent(named[1]) : '';
  file.click();
  setTimeout(() => URL.revokeObjectURL(file.href), 60000);
});

/* What is drawn stays chosen from page to page; the numbers are shown from the start where there are not too many. */
const chosen = {};
const draw = () => {
  element.querySelectorAll('[data-toggle]').forEach((button) => {
    const name = button.dataset.toggle;
    const on = chosen[name] ?? button.getAttribute('aria-pressed') === 'true';
    button.setAttribute('aria-pressed', on);
    element.dataset[name] = on ? 'on' : 'off';
  });
};
element.addEventListener('click', (event) => {
  const button = event.target.closest('[data-toggle], [data-page]');
  if (button?.dataset.page) trigger('select', { page: button.dataset.page });
  else if (button) {
    chosen[button.dataset.toggle] = button.getAttribute('aria-pressed') !== 'true';
    draw();
  }
});

/* New HTML takes the keyboard's place away: it goes back to the same page's button. */
let held = '';
element.addEventListener('focusin', (event) => { held = event.target.dataset.page ?? ''; });
document.addEventListener('focusin', (event) => { if (!element.contains(event.target)) held = ''; });
const shown = () => {
  draw();
  lit = '';
  if (held && document.activeElement === document.body) element.querySelector(`[data-page="${held}"]`)?.focus();
};
watch('value', shown);
shown();
