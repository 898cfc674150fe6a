// What keeps people out of a page: [fault, ...], run in the page (WCAG 2.2: 1.1.1, 1.3.1, 1.4.3, 2.4.1, 2.4.2, 3.1.1, 4.1.2).
() => {
  const faults = [];
  const all = (selector, inside = document) => [...inside.querySelectorAll(selector)];
  const shown = (element) => element.checkVisibility({ visibilityProperty: true });
  const short = (element) => `${element.localName}${element.id ? `#${element.id}` : ""} ${element.textContent.trim().slice(0, 40)}`;

  const named = (element) => {
    const by = (element.getAttribute("aria-labelledby") || "").split(" ").map((id) => document.getElementById(id));
    const texts = [element.getAttribute("aria-label"), element.title, element.textContent, ...by.map((each) => each?.textContent)];
    const labels = [...(element.labels || [])].map((label) => label.textContent);
    return [...texts, ...labels].some((text) => text && text.trim() !== "");
  };

  if (!/^[a-z]{2}/.test(document.documentElement.lang)) faults.push("no language");
  if (document.title.trim() === "") faults.push("no title");
  for (const [name, wanted] of [["main", 1], ["h1", 1], ["body > header", 1], ["body > footer", 1]]) {
    if (all(name).length !== wanted) faults.push(`${all(name).length} of ${name}`);
  }
  if (all("a[href],button,input")[0]?.getAttribute("href") !== `#${all("main")[0]?.id}`) faults.push("no way past the head");
  for (const element of all("a[href],button,input,select,textarea,summary,audio[controls],video[controls]").filter(shown)) {
    if (!named(element) && !element.querySelector("img[alt]:not([alt=''])")) faults.push(`no name: ${short(element)}`);
    if (element.tabIndex > 0) faults.push(`order of tabs: ${short(element)}`);
  }
  for (const element of all("section,nav,form[role]").filter(shown)) {
    if (!named(element)) faults.push(`no name: ${short(element)}`);
  }
  for (const element of all("img:not([alt])")) faults.push(`no words for ${element.src}`);
  for (const element of all("svg").filter(shown)) {
    if (element.ariaHidden !== "true" && !element.querySelector("title") && !element.ariaLabel && !element.hasAttribute("aria-labelledby")) faults.push(`no words for a drawing`);
  }
  for (const table of all("table").filter(shown)) {
    if (!table.querySelector("th[scope]")) faults.push(`a table without heads: ${short(table)}`);
  }
  let level = 0;
  for (const heading of all("h1,h2,h3,h4,h5,h6").filter(shown)) {
    const own = Number(heading.localName[1]);
    if (own > level + 1) faults.push(`from h${level} to ${short(heading)}`);
    level = own;
  }
  const ids = all("[id]").map((element) => element.id);
  for (const id of new Set(ids.filter((id, at) => ids.indexOf(id) !== at))) faults.push(`twice: ${id}`);

  // Contrast of every text with what lies behind it
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const rgba = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    const [red, green, blue, alpha] = canvas.getImageData(0, 0, 1, 1).data;
    return [red, green, blue, alpha / 255];
  };
  const over = (top, under) => [0, 1, 2].map((at) => top[at] * top[3] + under[at] * (1 - top[3]));
  const behind = (element) => {
    if (!element) return rgba(matchMedia("(prefers-color-scheme: dark)").matches ? "#121212" : "#fff").slice(0, 3);
    const color = rgba(getComputedStyle(element).backgroundColor);
    return color[3] === 1 ? color.slice(0, 3) : over(color, behind(element.parentElement));
  };
  const light = (color) => {
    const [red, green, blue] = color.map((part) => (part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const seen = new Set();
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (walker.currentNode.data.trim() === "" || seen.has(element) || !shown(element) || element.closest(":disabled,script,option")) continue;
    seen.add(element);
    const style = getComputedStyle(element);
    const under = behind(element);
    const ink = over(rgba(element.closest("svg") ? style.fill : style.color), under);
    const [dark, bright] = [light(ink), light(under)].sort((left, right) => left - right);
    const ratio = (bright + 0.05) / (dark + 0.05);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    if (ratio < (large ? 3 : 4.5)) faults.push(`contrast ${ratio.toFixed(2)}: ${short(element)}`);
  }
  if (seen.size < 5) faults.push("hardly any text was looked at");
  return faults;
}
