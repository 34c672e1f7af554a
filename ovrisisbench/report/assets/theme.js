"use strict";
// Runs before the page is painted: the theme chosen earlier holds, else that of the system.
window.ovrisisbench = {
  find: (id) => document.getElementById(id),
  // Make an element; its text is text, whatever it looks like.
  element: (tag, className = "", text = "", more = {}) => (
    Object.assign(document.createElement(tag), { className, textContent: text }, more)),
};

(() => {
  const root = document.documentElement;
  const themes = ["system", "light", "dark"];
  let theme = "system";
  // Some browsers refuse storage to pages from the disk; the choice then holds for the page.
  const stored = (use) => { try { return use(localStorage); } catch { return null; } };
  const found = stored((storage) => storage.getItem("ovrisisbench-theme"));
  if (themes.includes(found)) theme = found;

  function apply() {
    root.dataset.theme = theme;
    const text = document.getElementById("theme-text");
    if (text) text.textContent = `Theme: ${theme === "system" ? "as the system" : theme}`;
  }

  apply();
  document.addEventListener("DOMContentLoaded", () => {
    const button = document.getElementById("theme");
    button.hidden = false;
    apply();
    button.addEventListener("click", () => {
      theme = themes[(themes.indexOf(theme) + 1) % themes.length];
      stored((storage) => storage.setItem("ovrisisbench-theme", theme));
      apply();
    });
  });
})();
