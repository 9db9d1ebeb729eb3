"use strict";
const rows = [...document.querySelectorAll("tbody[data-type]")];
const fields = ["type", "standing"].map((name) => document.getElementById(name));
const search = document.getElementById("search");
const count = document.getElementById("shown");

function filter() {
  const words = search.value.trim().toLowerCase();
  let shown = 0;
  for (const row of rows) {
    const fits = fields.every((field) => !field.value || row.dataset[field.id] === field.value);
    row.hidden = !(fits && (!words || row.textContent.toLowerCase().includes(words)));
    shown += row.hidden ? 0 : 1;
  }
  count.textContent = `${shown.toLocaleString("en")} of ${rows.length.toLocaleString("en")} shown`;
}

for (const field of fields) field.addEventListener("change", filter);
search.addEventListener("input", filter);
document.querySelector(".filters").hidden = false;
filter();

// On paper nothing can be opened, so the evidence of what is shown is printed with it.
let opened = [];
addEventListener("beforeprint", () => {
  opened = [...document.querySelectorAll("tbody[data-type]:not([hidden]) details:not([open]), .figure details:not([open])")];
  for (const each of opened) each.open = true;
});
addEventListener("afterprint", () => { for (const each of opened) each.open = false; });
