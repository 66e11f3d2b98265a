/* The permanent page and the file: the visitor's theme and clock, and copying. Without it everything can be read. */
try {
  const theme = localStorage.getItem("arena.theme");
  if (theme) document.documentElement.dataset.theme = theme;
} catch { /* a file, or a private window: as the system is */ }

document.addEventListener("DOMContentLoaded", () => {
  const format = new Intl.DateTimeFormat(document.documentElement.lang === "ru" ? "ru" : "en-GB", { dateStyle: "long", timeStyle: "short" });
  document.querySelectorAll("time").forEach((node) => {
    node.title = node.dateTime;
    node.textContent = format.format(new Date(node.dateTime));
  });
});

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy], [data-link]");
  if (!button) return;
  const link = button.dataset.link;
  const text = link ? new URL(link, document.baseURI).href : document.getElementById(button.dataset.copy).textContent;
  try {
    await navigator.clipboard.writeText(text);
  } catch { /* no secure context */
    const area = Object.assign(document.createElement("textarea"), { value: text });
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
    button.focus();
  }
  button.classList.add("done");
  setTimeout(() => button.classList.remove("done"), 1600);
});
