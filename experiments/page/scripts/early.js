// Before anything is seen: scripts run, and the ground is the one that was chosen the last time.
document.documentElement.classList.add("js");
try {
  const theme = localStorage.getItem("theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // A browser may refuse to remember anything for files.
}
