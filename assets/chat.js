// Runs inside each block of the Chat tab; Gradio gives element, trigger and watch. What has data-event sends that event
// with the rest of its data, and the server answers with new HTML; what has data-act only changes the looks.
const EVENTS = [
  'new_talk', 'open_talk', 'rename_talk', 'delete_talk', 'again', 'edit_turn', 'take_sample', 'drop_picture', 'turn_picture', 'too_large',
];
const message = () => document.querySelector('#chat-message textarea');
let after = null; // where the keyboard goes once the new HTML is there

const send = (name, data) => {
  if (!EVENTS.includes(name)) return;
  after = {
    rename_talk: () => element.querySelector(`.open[data-value="${CSS.escape(data.value || '')}"]`),
    delete_talk: () => element.querySelector('.new'),
  }[name] || message;
  trigger(name, data);
};

// A row of the list, or a question: its form or its question opens and closes in its place.
const fold = (node, open) => {
  const place = node.closest('li[data-source], article.mine');
  const part = place.querySelector(open);
  place.querySelectorAll('form.edit, .sure').forEach((each) => { each.hidden = each !== part; });
  place.classList.toggle('folded', !!part);
  const field = part && (part.querySelector('input, textarea') || part.querySelector('button'));
  (field || place.querySelector('[data-act]'))?.focus();
  if (field?.select) field.select();
};

element.addEventListener('click', (event) => {
  const node = event.target.closest('[data-event], [data-act]');
  if (!node || node.matches('form')) return;
  const act = node.dataset.act;
  if (act === 'edit' || act === 'rename') fold(node, 'form.edit');
  else if (act === 'ask-delete') fold(node, '.sure');
  else if (act === 'keep') fold(node, ':not(*)');
  else {
    node.closest('details.menu')?.removeAttribute('open');
    if (node.dataset.event === 'again') stick = true;
    send(node.dataset.event, { ...node.dataset });
  }
});
element.addEventListener('submit', (event) => {
  event.preventDefault();
  const form = event.target;
  const text = form.querySelector('input, textarea').value.trim();
  if (text) send(form.dataset.event, { ...form.dataset, text });
});
element.addEventListener('keydown', (event) => {
  const form = event.target.closest('form.edit, .sure');
  if (event.key === 'Escape' && form) fold(form, ':not(*)');
  if (event.key === 'Escape') element.querySelector('details.menu[open]')?.removeAttribute('open');
  if (event.key === 'Enter' && !event.shiftKey && !event.isComposing && event.target.matches('form.edit textarea')) {
    event.preventDefault();
    form.requestSubmit();
  }
});

// Who reads the end goes on reading the end while an answer grows; who has scrolled up is left where he is.
let stick = true;
if (element.id === 'chat-now' || element.closest('#chat-now')) {
  const atEnd = () => innerHeight + scrollY > document.documentElement.scrollHeight - 120;
  addEventListener('scroll', () => { stick = atEnd(); }, { passive: true });
  document.addEventListener('click', (event) => { if (event.target.closest('#chat-send')) stick = true; });
  let due = false;
  new MutationObserver(() => {
    if (due || !stick || !document.querySelector('#chat-talk .talk')) return;
    due = true;
    requestAnimationFrame(() => {
      due = false;
      if (element.checkVisibility()) scrollTo({ top: document.documentElement.scrollHeight, behavior: 'instant' });
    });
  }).observe(document.getElementById('chat-main'), { childList: true, subtree: true, characterData: true });
}

// Only once in the page: what belongs to the line in which the visitor writes.
if (element.id === 'chat-attached' || element.closest('#chat-attached')) {
  const seen = () => document.getElementById('chat-composer')?.checkVisibility();
  const give = (files) => {
    const input = document.querySelector('#chat-attach ~ input[type=file], #chat-composer input[type=file]');
    const images = [...files].filter((file) => file.type.startsWith('image/') || file.type === 'application/pdf');
    if (!input || !images.length) return false;
    const transfer = new DataTransfer();
    images.forEach((file) => transfer.items.add(file));
    input.files = transfer.files;
    input.dispatchEvent(new Event('change', { bubbles: true }));
    return true;
  };
  const typed = (event) => {
    if (event.key !== 'Enter' || !event.target.matches?.('#chat-message textarea')) return;
    event.stopPropagation(); // else the framework takes Shift+Enter, and the page starts a comparison with Ctrl
    if (event.shiftKey || event.isComposing) return;
    event.preventDefault();
    if (event.type === 'keydown') document.getElementById('chat-send').click();
  };
  document.addEventListener('keydown', typed, true);
  document.addEventListener('keypress', typed, true);
  document.addEventListener('paste', (event) => {
    if (!seen() || !event.clipboardData?.files.length) return;
    event.stopPropagation();
    if (give(event.clipboardData.files)) event.preventDefault();
  }, true);
  document.addEventListener('drop', (event) => {
    if (!seen() || !event.dataTransfer?.files.length) return;
    event.stopPropagation();
    event.preventDefault();
    give(event.dataTransfer.files);
  }, true);
  document.addEventListener('change', (event) => {
    if (!event.target.matches?.('#chat-composer input[type=file]')) return;
    const most = window.gradio_config?.max_file_size;
    if (!most || ![...event.target.files].some((file) => file.size > most)) return;
    event.stopImmediatePropagation();
    event.target.value = '';
    trigger('too_large', {});
  }, true);
}

// Times are written by the server in UTC; everyone reads them in his own.
const shown = () => {
  element.querySelectorAll('time').forEach((node) => {
    const russian = node.closest('[lang]')?.lang === 'ru';
    const day = russian ? { day: '2-digit', month: '2-digit', year: 'numeric' } : { day: 'numeric', month: 'short', year: 'numeric' };
    const format = new Intl.DateTimeFormat(russian ? 'ru' : 'en-GB', { ...day, hour: '2-digit', minute: '2-digit' });
    node.textContent = format.format(new Date(node.dateTime));
  });
  if (matchMedia('(max-width: 1080px)').matches) element.querySelector('nav details')?.removeAttribute('open');
  if (after && document.activeElement === document.body) after()?.focus({ preventScroll: true });
  after = null;
};
watch('value', shown);
shown();
