// What a page shows, and what is in it that no page of an archive has: {faults, texts}, run in the page.
() => {
  const all = (selector) => [...document.querySelectorAll(selector)];
  const listens = (element) => element.getAttributeNames().some((name) => name.startsWith("on"));
  const strange = all("[data-evil],iframe,object,embed,base,meta[http-equiv=refresh],foreignObject,[autofocus]");
  const odd = [...strange, ...all("*").filter(listens)].map((element) => element.outerHTML.slice(0, 200));

  const names = ["href", "src", "action", "formaction", "poster", "data", "xlink\\:href"];
  const given = names.flatMap((name) => all(`[${name}]`).map((each) => each.getAttribute(name.replace("\\", ""))));
  const away = (address) => !["file:", "blob:"].includes(address.protocol) || address.host !== "";
  const leading = given.map((each) => new URL(each, location.href)).filter(away).map((address) => address.href);

  const polluted = Object.keys(Object.prototype).concat("hit" in window ? ["hit"] : []);
  const words = all("[alt],[title],[aria-label]").flatMap((each) => [each.alt, each.title, each.ariaLabel]);
  const texts = [document.title, document.body.innerText, ...words.filter(Boolean)];
  return { faults: [...odd, ...leading, ...polluted], texts };
}
