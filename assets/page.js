/* What the page does without asking the server: theme, language, copying, pasting, the big picture. */
(() => {
  const arena = window.arena;
  const app = document.querySelector("gradio-app");
  if (arena.theme) app.setAttribute("theme_mode", arena.theme);

  /* Some texts the framework writes once, or only in English; ours are styles, which can be written again. */
  const ours = () => window.gradio_config?.i18n_translations?.[arena.lang] || {};
  const english = { "Click to upload or drop files": "ui.image.drop", "More tabs": "safe.more_tabs" };
  const named = new WeakMap();
  const names = () => {
    for (const node of document.querySelectorAll("button[aria-label]")) {
      const key = named.get(node) || english[node.ariaLabel];
      if (!key) continue;
      named.set(node, key);
      if (ours()[key] && ours()[key] !== node.ariaLabel) node.setAttribute("aria-label", ours()[key]);
    }
  };
  arena.label = () => {
    const texts = ours();
    const say = (name, key) => document.documentElement.style.setProperty(name, JSON.stringify(texts[key] || ""));
    say("--drop-here", "ui.image.drop");
    for (const kind of ["error", "warning", "info", "success"]) say(`--toast-${kind}`, `ui.toast.${kind}`);
    names();
  };
  arena.label();
  let changed = 0;
  new MutationObserver(() => { changed ||= setTimeout(() => { changed = 0; names(); }, 200); })
    .observe(document.documentElement, { childList: true, subtree: true });

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

  /* The row of tabs is pushed sideways on a phone: the open one is always seen, and where there are more. */
  const row = () => document.querySelector("#tabs > .tab-wrapper [role=tablist]");
  const edges = () => {
    const bar = row();
    if (!bar) return;
    bar.classList.toggle("more-left", bar.scrollLeft > 4);
    bar.classList.toggle("more-right", bar.scrollLeft + bar.clientWidth < bar.scrollWidth - 4);
  };
  const bringOpenTab = () => {
    const open = row()?.querySelector("[aria-selected=true]");
    if (open && row().scrollWidth > row().clientWidth) open.scrollIntoView({ inline: "center", block: "nearest" });
    edges();
  };
  document.addEventListener("scroll", (event) => { if (event.target === row()) edges(); }, true);
  document.addEventListener("focusin", ({ target }) => {
    if (row()?.contains(target)) target.scrollIntoView({ inline: "nearest", block: "nearest" });
  });
  addEventListener("resize", bringOpenTab);
  new MutationObserver((all) => {
    const bar = row();
    if (bar && all.some(({ target }) => bar.contains(target))) bringOpenTab();
  }).observe(document.documentElement, { subtree: true, childList: true, characterData: true, attributeFilter: ["aria-selected"] });

  /* Of what several tabs have, the one that is seen. */
  const seen = (selector) => [...document.querySelectorAll(selector)].find((node) => node.checkVisibility());

  async function copy(button) {
    const { url, link, share } = button.dataset;
    const source = document.getElementById(button.dataset.copy);
    const page = link && new URL(link, document.baseURI).href;
    const text = page || (url ? await (await fetch(url)).text() : source.textContent);
    try {
      await navigator.clipboard.writeText(text);
    } catch { /* no secure context */
      const area = Object.assign(document.createElement("textarea"), { value: text });
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    const shared = !share || (await fetch(share, { method: "POST" }).catch(() => null))?.ok;
    const outcome = shared ? "done" : "refused";
    button.classList.add(outcome);
    setTimeout(() => button.classList.remove(outcome), 1600);
  }

  /* A file that the server would refuse is not sent; it says so at once, in the visitor's language. */
  function tooLarge(file) {
    const most = window.gradio_config?.max_file_size;
    if (!file || !most || file.size <= most) return false;
    const detail = { size: file.size };
    seen(".gallery")?.dispatchEvent(new CustomEvent("too-large", { bubbles: true, detail }));
    return true;
  }
  document.addEventListener("change", (event) => {
    if (!event.target.matches?.(".image-source input[type=file]") || !tooLarge(event.target.files[0])) return;
    event.stopImmediatePropagation();
    event.target.value = "";
  }, true);
  document.addEventListener("drop", (event) => {
    if (!event.target.closest?.(".image-source") || !tooLarge(event.dataTransfer?.files[0])) return;
    event.stopImmediatePropagation();
    event.preventDefault();
  }, true);

  /* A picture from the clipboard or the camera, or dropped anywhere, goes the way of a chosen file. */
  function give(files) {
    const input = seen(".image-source")?.querySelector("input[type=file]");
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
    if (event.target.closest?.(".image-source")) return;
    if (event.dataTransfer?.files.length) { event.preventDefault(); give(event.dataTransfer.files); }
  });

  async function camera(wanted) {
    const dialog = document.getElementById("camera");
    const [video, take] = [dialog.querySelector("video"), dialog.querySelector("[data-camera=take]")];
    if (wanted === "open") {
      take.hidden = true;
      dialog.showModal();
      dialog.onclose = () => video.srcObject?.getTracks().forEach((track) => track.stop());
      const found = await navigator.mediaDevices?.getUserMedia({
        video: { width: { ideal: 1920 }, height: { ideal: 1080 }, facingMode: "environment" },
      }).catch(() => null);
      dialog.querySelector(".trouble").hidden = !!found;
      video.srcObject = found || null;
      if (found && !dialog.open) dialog.onclose();
      else if (found) {
        await video.play();  // before its first frame there is nothing to take
        take.hidden = false;
      }
      return;
    }
    if (wanted === "take") {
      const canvas = Object.assign(document.createElement("canvas"), { width: video.videoWidth, height: video.videoHeight });
      canvas.getContext("2d").drawImage(video, 0, 0);
      canvas.toBlob((blob) => blob && give([new File([blob], "camera.png", { type: "image/png" })]), "image/png");
    }
    dialog.close();
  }

  function zoom(on) {
    document.body.classList.toggle("zoomed", on);
    seen(on ? "[data-zoom=out]" : "[data-zoom=in]")?.focus();
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("button");
    if (!button) return;
    if (button.dataset.copy || button.dataset.link) copy(button);
    else if (button.id === "open-camera") camera("open");
    else if (button.dataset.camera) camera(button.dataset.camera);
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
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) seen("#run, .bench-run")?.click();
  });
})();
