// Before the first paint: the theme that was chosen last.
try { const t = localStorage.getItem("theme"); if (t) document.documentElement.dataset.theme = t; } catch { }
