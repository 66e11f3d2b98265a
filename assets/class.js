/* The class on a pupil's phone and on the projector. Written for old browsers: nothing newer than 2015. */
(function () {
  var body = document.body, at = body.dataset.at, board = body.dataset.board === '1';
  var words = JSON.parse(body.dataset.words);
  var find = function (query) { return document.querySelector(query); };
  var all = function (query) { return Array.prototype.slice.call(document.querySelectorAll(query)); };
  var lang = document.documentElement.lang;
  var round = '', picture = '', asking = '', mine = '', lost = false;

  var dark = null;
  try { dark = localStorage.getItem('arena.theme'); localStorage.setItem('arena.lang', lang); } catch (e) { /* private mode */ }
  if (dark ? dark === 'dark' : window.matchMedia('(prefers-color-scheme: dark)').matches) body.classList.add('dark');

  /* Only what differs is written, so that nothing flickers, is read out twice or loses its selection. */
  function write(node, text) { if (node && node.textContent !== text) node.textContent = text; }
  function hide(node, hidden) { if (node && node.hidden !== hidden) node.hidden = hidden; }

  function side(node, now) {
    var pre = node.querySelector('pre'), text = pre.textContent;
    var whole = text.slice(0, now.from) + now.more;
    var end = pre.scrollHeight - pre.scrollTop - pre.clientHeight < 40;
    if (whole !== text) {
      pre.textContent = whole;
      if (end) pre.scrollTop = pre.scrollHeight;
    }
    /* While it comes its end is seen; once it is whole it is read from the beginning. */
    if (now.over && node.dataset.over !== round && end) pre.scrollTop = 0;
    node.dataset.over = now.over ? round : '';
    write(node.querySelector('.title'), now.title);
    write(node.querySelector('.stage'), now.stage);
    write(node.querySelector('.facts'), now.facts);
  }

  function bars(now) {
    hide(find('#bars'), !now.round || now.phase === 'running' || now.phase === 'void');
    write(find('#bars .voted b'), String(now.voted));
    hide(find('#bars ul'), !now.counts);
    if (!now.counts) return;
    var most = Math.max.apply(null, now.counts.concat(1));
    all('#bars li').forEach(function (node, index) {
      write(node.querySelector('.count'), String(now.counts[index]));
      node.querySelector('i').style.width = 100 * now.counts[index] / most + '%';
    });
    write(find('#voters'), now.voters.join(', '));
  }

  function chosen(outcome) {
    all('[data-outcome]').forEach(function (node) {
      node.setAttribute('aria-pressed', String(node.dataset.outcome === outcome));
    });
  }

  function show(now) {
    if (lost) { lost = false; hide(find('#trouble'), true); }
    var closed = body.dataset.phase === 'open' && now.phase !== 'open';
    body.dataset.phase = now.phase;
    if (now.round !== round) all('pre').forEach(function (node) { node.textContent = ''; });
    if (!board && (now.round !== round || closed)) write(find('#thanks'), '');
    round = now.round;
    write(find('#say'), now.say);
    write(find('#title'), now.title);
    write(find('#here b'), String(now.here));
    var questions = now.ask.join('\n');
    if (questions !== asking) {
      asking = questions;
      find('#ask').textContent = '';
      now.ask.forEach(function (each) {
        var node = document.createElement('li');
        node.textContent = each;
        find('#ask').appendChild(node);
      });
    }
    if (now.picture !== picture) {
      picture = now.picture;
      find('#picture').alt = picture.slice(-7) === '-hidden' ? words.hidden : words.shown;
      if (picture) find('#picture').src = at + picture; else find('#picture').removeAttribute('src');
    }
    hide(find('#shown'), !picture);
    hide(find('#sides'), !now.sides.length);
    var sides = all('#sides .side');
    now.sides.forEach(function (each, index) { side(sides[index], each); });
    bars(now);
    if (board) return;
    hide(find('#votes'), now.phase !== 'open' && !(now.mine && round));
    all('[data-outcome]').forEach(function (node) { node.disabled = now.phase !== 'open'; });
    mine = now.mine;
    if (!sending) chosen(mine);
    var name = find('#name');
    if (document.activeElement !== name && !name.value) name.value = now.name;
  }

  function trouble(text) {
    write(find('#trouble'), text);
    hide(find('#trouble'), false);
  }

  function send(what, data, done) {
    var asked = new XMLHttpRequest();
    asked.open('POST', at + what + '?lang=' + lang);
    asked.setRequestHeader('Content-Type', 'application/json');
    asked.timeout = 15000;
    asked.onload = function () {
      var said = {};
      try { said = JSON.parse(asked.responseText); } catch (e) { /* not ours */ }
      done(asked.status === 200, said);
    };
    asked.onerror = asked.ontimeout = function () { done(false, {}); };
    asked.send(JSON.stringify(data));
  }

  /* The last press counts: one vote is on its way at a time, and a later choice follows it. */
  var sending = false, wanted = '';
  function vote() {
    var outcome = wanted;
    sending = true;
    hide(find('#trouble'), true);
    send('vote', { round: round, outcome: outcome }, function (good, said) {
      sending = false;
      if (wanted !== outcome) { vote(); return; }
      write(find('#thanks'), good ? words.counted : '');
      if (good) mine = said.mine; else trouble(said.trouble || words.failed);
      chosen(mine);
    });
  }
  all('[data-outcome]').forEach(function (node) {
    node.addEventListener('click', function () {
      wanted = node.dataset.outcome;
      chosen(wanted);
      if (!sending) vote();
    });
  });
  if (!board) {
    find('#named').addEventListener('submit', function (event) {
      event.preventDefault();
      send('name', { name: find('#name').value }, function (good, said) {
        if (!good) { trouble(said.trouble || words.failed); return; }
        find('#name').value = said.name;
        write(find('#thanks'), words.saved);
      });
    });
  }

  function poll() {
    var asked = new XMLHttpRequest();
    asked.open('GET', at + 'state?lang=' + lang + '&board=' + (board ? 1 : 0));
    asked.onload = function () { if (asked.status === 200) show(JSON.parse(asked.responseText)); };
    asked.onerror = function () { lost = true; trouble(words.lost); };
    asked.onloadend = function () { setTimeout(poll, 1500); };
    asked.send();
  }
  if (!window.EventSource) { poll(); return; }
  var source;
  function listen() {
    source = new EventSource(at + 'events?lang=' + lang + '&board=' + (board ? 1 : 0));
    source.onmessage = function (event) { show(JSON.parse(event.data)); };
    source.onerror = function () {
      lost = true;
      trouble(words.lost);
      if (source.readyState === 2) setTimeout(listen, 3000);
    };
  }
  window.addEventListener('pagehide', function () { if (source) source.close(); });
  window.addEventListener('pageshow', function (event) { if (event.persisted) listen(); });
  listen();
})();
