// Runs inside each block of the Benchmark and Models tabs; Gradio gives element, trigger, props and watch.
// A node with data-event="name" sends that event with the rest of its data; the server answers with new HTML.
const EVENTS = [
  'open_run', 'sort_runs', 'turn_page', 'size_page', 'ask_delete', 'clear_filter', 'only_model', 'confirm_delete',
  'choose_axis', 'write_again', 'use_model', 'start_download', 'stop_download', 'forget_download', 'ask_remove',
  'confirm_remove', 'rows_changed', 'class_act', 'run_again', 'ask_forget', 'confirm_forget',
  'bench_act', 'bench_rows', 'confirm_bench',
];

const send = (name, data) => { if (EVENTS.includes(name)) trigger(name, data); };
const dialog = () => element.querySelector('dialog');
const chosen = () => [...element.querySelectorAll('tbody .check input:checked')].map((box) => box.value);

// Times are written by the server in UTC; everyone reads them in his own.
const localise = () => element.querySelectorAll('time').forEach((node) => {
  const russian = node.closest('[lang]')?.lang === 'ru';
  const day = russian ? { day: '2-digit', month: '2-digit', year: 'numeric' } : { day: 'numeric', month: 'short', year: 'numeric' };
  const format = new Intl.DateTimeFormat(russian ? 'ru' : 'en-GB', { ...day, hour: '2-digit', minute: '2-digit' });
  node.textContent = format.format(new Date(node.dateTime));
  node.title = node.dateTime;
});

const count = () => {
  const boxes = [...element.querySelectorAll('tbody .check input')];
  const marked = boxes.filter((box) => box.checked).length;
  boxes.forEach((box) => box.closest('tr').classList.toggle('marked', box.checked));
  const all = element.querySelector('.check .all');
  const button = element.querySelector('button.chosen');
  if (!all || !button) return;
  all.checked = marked > 0 && marked === boxes.length;
  all.indeterminate = marked > 0 && marked < boxes.length;
  button.hidden = marked === 0;
  button.querySelector('b').textContent = marked;
};

// New HTML takes the keyboard's place away: it goes back to the same button, or to one of the same row.
let held = null;
const sent = ({ dataset }) => ({ event: dataset.event || dataset.change, value: dataset.value });
const alike = (one, other) => one.event === other.event && one.value === other.value;
element.addEventListener('focusin', (event) => {
  const node = event.target.closest('[data-event], [data-change]');
  held = node && { ...sent(node), row: node.closest('[data-source]')?.dataset.source };
});
document.addEventListener('pointerdown', (event) => { if (!element.contains(event.target)) held = null; });
document.addEventListener('focusin', (event) => { if (!element.contains(event.target)) held = null; });
const hold = () => {
  if (!held || document.activeElement !== document.body) return;
  const buttons = [...element.querySelectorAll(':is([data-event], [data-change]):not(:disabled)')];
  const same = buttons.find((node) => alike(sent(node), held))
    || held.row && buttons.find((node) => node.closest('[data-source]')?.dataset.source === held.row);
  same?.focus({ preventScroll: true });
};

// News may come while a button is held down, and the browser makes no click of it: the button in its place is pressed.
let pressed = null;
element.addEventListener('pointerdown', (event) => { pressed = event.target.closest('[data-event]'); });
element.addEventListener('pointerup', (event) => {
  const node = event.target.closest('[data-event]');
  if (node && pressed && !pressed.isConnected && alike(sent(node), sent(pressed))) node.click();
  pressed = null;
});

// What is under way is asked for again, and what else could change while it is seen; whoever depends on it hears of it.
let stamp, ticks = 0, unchanged = 0;
setInterval(() => {
  const pace = element.querySelector('[data-news]')?.dataset.news;
  if (!pace || document.hidden || !(pace === '1' || element.checkVisibility())) return;
  if (++ticks % (pace === '1' && unchanged > 5 ? 5 : pace)) return; // nothing comes, or nobody answers
  unchanged += 1;
  send('write_again', {});
}, 1000);
const compareStamp = () => {
  const now = element.querySelector('[data-stamp]')?.dataset.stamp;
  if (stamp !== undefined && now !== undefined && now !== stamp) send('rows_changed', {});
  stamp = now ?? stamp;
};

// Answers may overtake each other; what was asked for later stays.
let newest = { asked: 0, html: '' };
const late = () => {
  const asked = Number(element.querySelector('[data-asked]')?.dataset.asked ?? newest.asked);
  if (asked < newest.asked) { props.value = newest.html; return true; }
  newest = { asked, html: props.value };
  return false;
};

const shown = () => {
  if (late()) return;
  unchanged = 0;
  localise();
  hold();
  compareStamp();
  element.querySelectorAll('.check input').forEach((box) => { box.checked = false; });
  count();
  const arrived = element.querySelector('[data-arrived]'); // what the visitor has come for, once
  arrived?.removeAttribute('data-arrived');
  arrived?.focus();
  const open = dialog();
  if (!open) return;
  if (!open.matches(':modal')) {
    open.removeAttribute('open');
    open.showModal();
    open.addEventListener('close', () => { props.value = ''; });
    open.addEventListener('click', (event) => { if (event.target === open) open.close(); });
  }
  open.scrollTop = 0;
};

element.addEventListener('click', (event) => {
  const node = event.target.closest('[data-event], [data-copy], [data-run]');
  element.querySelectorAll('details.menu[open]').forEach((menu) => {
    if (!menu.contains(event.target) || event.target.closest('a')) menu.open = false;
  });
  if (!node || node.dataset.copy) return;
  const name = node.dataset.event;
  if (!name) { // a row: anywhere but its checkbox opens the run, unless text is being selected
    if (!event.target.closest('.check') && !String(getSelection())) send('open_run', { value: node.dataset.run });
  } else if (name === 'close') {
    dialog()?.close();
  } else {
    if (name.startsWith('confirm_')) { node.disabled = true; node.setAttribute('aria-busy', 'true'); }
    if (name === 'run_again') dialog()?.close();
    send(name, { ...node.dataset, ids: name === 'ask_delete' ? chosen() : [] });
  }
});
document.addEventListener('click', (event) => {
  if (!element.contains(event.target)) element.querySelectorAll('details.menu[open]').forEach((menu) => { menu.open = false; });
});
element.addEventListener('keydown', (event) => {
  const menu = event.key === 'Escape' && event.target.closest('details.menu[open]');
  if (menu) { menu.open = false; menu.querySelector('summary').focus(); }
});
element.addEventListener('change', (event) => {
  if (event.target.matches('.check .all')) {
    element.querySelectorAll('tbody .check input').forEach((box) => { box.checked = event.target.checked; });
  }
  if (event.target.matches('.check input')) count();
  if (event.target.dataset.change) send(event.target.dataset.change, { ...event.target.dataset, value: event.target.value });
});

// In the plot: a small sign at the pointer, and the other models step back.
element.addEventListener('pointermove', (event) => {
  const tip = element.querySelector('.tip');
  if (!tip) return;
  const node = event.target.closest('[data-tip]');
  tip.hidden = !node;
  if (node) {
    tip.textContent = node.dataset.tip;
    const frame = tip.parentElement.getBoundingClientRect();
    const x = Math.min(Math.max(event.clientX - frame.left, tip.offsetWidth / 2), frame.width - tip.offsetWidth / 2);
    tip.style.transform = `translate(${x - tip.offsetWidth / 2}px, ${event.clientY - frame.top - tip.offsetHeight - 14}px)`;
  }
});
const highlight = (event) => {
  const mark = event.type === 'pointerleave' ? null : event.target.closest('.middle, tbody tr')?.classList.value.match(/\bm\d+\b/)?.[0];
  element.querySelectorAll('.dot, .middle').forEach((node) => node.classList.toggle('dim', !!mark && !node.classList.contains(mark)));
};
element.addEventListener('pointerover', highlight);
element.addEventListener('pointerleave', highlight);

// The language was switched: what the server wrote is asked for again.
new MutationObserver(() => send('write_again', {})).observe(document.documentElement, { attributeFilter: ['lang'] });

watch('value', shown);
shown();
