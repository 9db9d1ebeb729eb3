// What the pages of the stand-ins have in common. Nothing is ever taken for HTML.

export const AWAY = "The stand-in does not answer. Is the demo still running?";

export function element(tag, { text, ...attributes } = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value);
  }
  if (text !== undefined) node.textContent = text;
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

export async function call(path, body) {
  try {
    const response = await fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
    return await response.json();
  } catch {
    return { ok: false, problem: AWAY };
  }
}

// Shows a problem where the page has its place for one; none takes the last one away.
export function say(problem) {
  const place = document.getElementById("problem");
  place.textContent = problem;
  place.hidden = !problem;
}

// Lists the demo's other pages, by name.
export function drawLinks(list, pages) {
  list.replaceChildren(...Object.entries(pages).map(([name, href]) =>
    element("li", {}, element("a", { href, target: "_blank", rel: "noreferrer", text: name }))));
}
