// Keys and small comforts. Every page works without this file: buttons are forms, rows have links.
"use strict";

const isTyping = (target) => target.closest("input, select, textarea, [contenteditable]") !== null;

// j and k move through the rows of a list, Enter opens the row.
const rows = () => Array.from(document.querySelectorAll("table[data-keys] tr.row"));

function moveRow(step) {
  const all = rows();
  if (all.length === 0) return;
  const next = Math.min(Math.max(all.indexOf(document.activeElement) + step, 0), all.length - 1);
  all[next].tabIndex = -1;
  all[next].focus();
  all[next].scrollIntoView({ block: "nearest" });
}

const keys = {
  j: () => moveRow(1),
  k: () => moveRow(-1),
  "/": () => document.getElementById("search")?.focus(),
  Enter: () => document.activeElement?.closest("tr.row")?.querySelector("a.row-title")?.click(),
};

function press(key) {
  const target = document.querySelector(`[data-key="${CSS.escape(key)}"]`);
  if (!target) return false;
  target.click();
  if (target.tagName === "SUMMARY" && target.parentElement.open) {
    target.parentElement.querySelector("select, input:not([type=hidden]), textarea")?.focus();
  }
  return true;
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
  if (event.key === "Enter") {
    if (document.activeElement?.matches("tr.row")) keys.Enter();
    return;
  }
  if (keys[event.key]) {
    keys[event.key]();
    event.preventDefault();
  } else if (event.key.length === 1 && press(event.key)) {
    event.preventDefault();
  }
});

// On a phone the navigation is one long line: the page that is open is moved into sight.
document.querySelector(".rail nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

// A filter that was chosen is applied at once.
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submits]")) event.target.form.requestSubmit();
});

// Copy a text: "ledger.txt, line 1,234", or what stands in another element. Where the browser refuses, it is selected.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy], [data-copy-of]");
  if (!button) return;
  const source = button.dataset.copyOf ? document.getElementById(button.dataset.copyOf) : button.previousElementSibling;
  try {
    await navigator.clipboard.writeText(button.dataset.copy ?? source.textContent);
    button.textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(source);
    button.textContent = "Selected";
  }
});

// A file that is too large is refused before it is sent.
document.addEventListener("change", (event) => {
  const largest = Number(event.target.dataset.largest);
  if (!largest) return;
  const isTooLarge = Array.from(event.target.files).some((file) => file.size > largest);
  event.target.setCustomValidity(isTooLarge ? `A file may have ${largest / 1024 / 1024} MB at most.` : "");
  event.target.reportValidity();
});

// A form is sent once, however often its button is pressed.
document.addEventListener("submit", (event) => {
  if (event.target.method !== "post") return;
  if (event.target.dataset.sent) event.preventDefault();
  event.target.dataset.sent = "yes";
});
window.addEventListener("pageshow", () => {
  for (const form of document.forms) delete form.dataset.sent;
});
