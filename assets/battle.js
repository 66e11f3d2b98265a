// Runs inside the block of a battle; Gradio gives element, trigger, props and watch.
// Votes by click or by the keys 1 to 4, the view of the answers, the way on, and where the keyboard is after an answer.
const all = (selector) => [...element.querySelectorAll(selector)];
const start = () => document.getElementById('battle-run');

const vote = (button) => trigger('cast_vote', {
  outcome: button.dataset.vote,
  reasons: all('input[name=reason]:checked').map((box) => box.value),
});

const view = (name) => {
  document.documentElement.dataset.battleView = name;
  all('[data-view]').forEach((button) => button.setAttribute('aria-pressed', String(button.dataset.view === name)));
};

element.addEventListener('click', (event) => {
  const button = event.target.closest('button');
  if (!button || button.disabled) return;
  const { vote: voted, view: wanted, next, event: name } = button.dataset;
  if (wanted) view(wanted);
  if (voted) vote(button);
  if (next === 'same') start()?.click();
  if (next === 'sample') trigger('next_sample', {});
  if (name === 'take_back') trigger('take_back', {});
  if (name === 'skip_battle') trigger('skip_battle', {});
  if (voted || next || name) all('[data-vote], [data-next], [data-event]').forEach((each) => { each.disabled = true; });
});

// On a phone the answers come far below the button.
document.addEventListener('click', (event) => {
  if (event.target.closest?.('#battle-run')) setTimeout(() => {
    const { top } = element.getBoundingClientRect();
    const behavior = matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth';
    if (top < 0 || top > innerHeight * 0.7) element.scrollIntoView({ behavior });
  }, 300);
});

// Not while somebody writes, nor for a battle in a tab that is not seen.
document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.repeat || !element.checkVisibility()) return;
  if (event.target.closest?.('input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable], dialog')) return;
  const button = all('[data-vote]')[Number(event.key) - 1];
  if (button) { event.preventDefault(); button.click(); }
});

// New HTML takes the keyboard's place away: it goes to what can be done now.
let inside = false;
document.addEventListener('focusin', (event) => { inside = element.contains(event.target); });
document.addEventListener('pointerdown', (event) => { inside = element.contains(event.target); });

watch('value', () => {
  view(document.documentElement.dataset.battleView || 'text');
  if (inside && document.activeElement === document.body) {
    element.querySelector('[data-vote], [data-next]')?.focus({ preventScroll: true });
  }
});
view(document.documentElement.dataset.battleView || 'text');
