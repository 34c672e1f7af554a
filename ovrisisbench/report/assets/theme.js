"use strict";
// Runs before the page is painted: the theme chosen earlier holds, else that of the system.
(() => {
  const root = document.documentElement;
  const themes = ["system", "light", "dark"];
  let theme = "system";
  try {
    theme = localStorage.getItem("ovrisisbench-theme") || "system";
  } catch { /* storage is refused to pages from the disk in some browsers */ }
  if (!themes.includes(theme)) theme = "system";

  function apply() {
    if (theme === "system") delete root.dataset.theme;
    else root.dataset.theme = theme;
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
      try {
        localStorage.setItem("ovrisisbench-theme", theme);
      } catch { /* the choice then holds for this page only */ }
      apply();
    });
  });
})();
