"use strict";
// Loads the page again when the store has changed since it was made.
(() => {
  const { state } = document.documentElement.dataset;
  setInterval(async () => {
    try {
      const answer = await fetch("/state", { cache: "no-store" });
      if (answer.ok && (await answer.text()) !== state) location.reload();
    } catch {
      // The server has ended; the page stays as it is.
    }
  }, 2000);
})();
