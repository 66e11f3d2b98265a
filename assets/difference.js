/* The two panes of a difference scroll together: the same place of the texts stays in sight on both sides. */
let leader = null;

const places = (pane) => {
  const top = pane.getBoundingClientRect().top - pane.scrollTop;
  const found = [...pane.querySelectorAll('[data-at]')].map((node) => [Number(node.dataset.at), node.getBoundingClientRect().top - top]);
  const last = Math.max(found.at(-1)?.[0] ?? 0, ...[...element.querySelectorAll('[data-at]')].map((node) => Number(node.dataset.at))) + 1;
  return [[-1, 0], ...found, [last, pane.scrollHeight]];
};

/* Between two known places the rest is taken to be even. */
const between = (pairs, from, to, value) => {
  const at = Math.max(1, pairs.findIndex((pair) => pair[from] >= value));
  const [before, after] = [pairs[at - 1], pairs[at]];
  const span = after[from] - before[from];
  return before[to] + (span ? (value - before[from]) / span : 0) * (after[to] - before[to]);
};

const follow = () => {
  const panes = [...element.querySelectorAll('.pane')];
  const other = panes.find((pane) => pane !== leader);
  if (!other || !panes.includes(leader)) return;
  const most = leader.scrollHeight - leader.clientHeight;
  if (leader.scrollTop >= most - 1) { other.scrollTop = other.scrollHeight; return; }
  other.scrollTop = leader.scrollTop ? between(places(other), 0, 1, between(places(leader), 1, 0, leader.scrollTop)) : 0;
};

/* Whoever is touched leads; what the other one's scrolling says is only the echo. */
const lead = (event) => { leader = event.target.closest('.pane') ?? leader; };
for (const name of ['pointerover', 'pointerdown', 'wheel', 'touchstart', 'focusin', 'keydown'])
  element.addEventListener(name, lead, { passive: true });
let frame = 0;
element.addEventListener('scroll', (event) => {
  if (event.target !== leader || frame) return;
  frame = requestAnimationFrame(() => { frame = 0; follow(); });
}, { capture: true, passive: true });
