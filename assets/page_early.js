/* Runs before anything else of the page: the language of the visitor, for the server (cookie) and the frontend. */
(() => {
  const { languages, cookie } = window.arena;
  const stored = (name) => { try { return localStorage.getItem(name); } catch { return null; } };
  const preferred = (navigator.languages || [navigator.language]).map((tag) => tag.toLowerCase().split("-")[0]);
  window.arena.remember = (lang) => {
    const cross = location.protocol === "https:" ? "SameSite=None; Secure; Partitioned" : "SameSite=Lax";
    document.cookie = `${cookie}=${lang}; Path=/; Max-Age=31536000; ${cross}`;
    document.documentElement.lang = window.arena.lang = lang;
  };
  const saved = stored("arena.lang");
  const lang = languages.includes(saved) ? saved : preferred.find((tag) => languages.includes(tag)) || "en";
  window.arena.theme = stored("arena.theme");
  window.arena.remember(lang);
  Object.defineProperty(navigator, "language", { get: () => window.arena.lang, configurable: true });
})();
