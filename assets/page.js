/* What the page does without asking the server: theme, language, copying, pasting, the big picture. */
(() => {
  const arena = window.arena;
  const app = document.querySelector("gradio-app");
  if (arena.theme) app.setAttribute("theme_mode", arena.theme);

  /* The framework writes the text of its drop area once; ours is a style, which can be written again. */
  arena.label = () => {
    const texts = window.gradio_config?.i18n_translations?.[arena.lang];
    if (texts) document.documentElement.style.setProperty("--drop-here", JSON.stringify(texts["ui.image.drop"]));
  };
  arena.label();

  arena.switchLanguage = async (lang) => {
    arena.remember(lang);
    arena.label();
    try { localStorage.setItem("arena.lang", lang); } catch { /* private mode: the cookie remembers */ }
    if (!arena.localeModule) return location.reload();
    (await import(new URL(arena.localeModule, document.baseURI))).changeLocale(lang);
  };

  arena.switchTheme = () => {
    const dark = document.body.classList.toggle("dark");
    try { localStorage.setItem("arena.theme", dark ? "dark" : "light"); } catch { /* lasts until the reload */ }
  };

  async function copy(button) {
    const source = document.getElementById(button.dataset.copy);
    const text = button.dataset.url ? await (await fetch(button.dataset.url)).text() : source.textContent;
    try {
      await navigator.clipboard.writeText(text);
    } catch { /* no secure context */
      const area = Object.assign(document.createElement("textarea"), { value: text });
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    button.classList.add("done");
    setTimeout(() => button.classList.remove("done"), 1600);
  }

  /* A picture from the clipboard, or dropped anywhere, goes the way of a chosen file. */
  function give(files) {
    const input = document.querySelector("#source input[type=file]");
    if (!input || !files.length) return false;
    const transfer = new DataTransfer();
    transfer.items.add(files[0]);
    input.files = transfer.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
    return true;
  }

  /* The framework writes a group's name beside it without saying whose it is. */
  document.addEventListener("focusin", (event) => {
    const group = event.target.closest?.("fieldset");
    const name = group?.querySelector(":scope > [data-testid=block-info]");
    if (!name || group.hasAttribute("aria-labelledby")) return;
    name.id ||= `${group.id}-name`;
    group.setAttribute("role", "group");
    group.setAttribute("aria-labelledby", name.id);
  });

  document.addEventListener("paste", (event) => {
    if (give(event.clipboardData?.files || [])) event.preventDefault();
  });
  document.addEventListener("dragover", (event) => {
    if (event.dataTransfer?.types.includes("Files")) event.preventDefault();
  });
  document.addEventListener("drop", (event) => {
    if (event.target.closest?.("#source, #camera")) return;
    if (event.dataTransfer?.files.length) { event.preventDefault(); give(event.dataTransfer.files); }
  });

  function zoom(on) {
    document.body.classList.toggle("zoomed", on);
    document.querySelector(on ? "[data-zoom=out]" : "[data-zoom=in]")?.focus();
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("button");
    if (!button) return;
    if (button.dataset.copy) copy(button);
    else if (button.dataset.zoom) zoom(button.dataset.zoom === "in");
    else if (button.dataset.theme) arena.switchTheme();
    else if (button.id === "run") setTimeout(() => {
      const results = document.getElementById("results");
      if (results && results.getBoundingClientRect().top > innerHeight * 0.7)
        results.scrollIntoView({ behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
    }, 50);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && document.body.classList.contains("zoomed")) zoom(false);
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) document.getElementById("run")?.click();
  });
})();
