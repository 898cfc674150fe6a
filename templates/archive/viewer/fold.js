// Texts without the differences that a search should not see: case, accents, widths (Unicode, NFKD).

const ASCII = /^[\x00-\x7f]*$/;

function folded(text) {
  if (ASCII.test(text)) return text.toLowerCase();
  return text.normalize("NFKD").replace(/\p{M}+/gu, "").toLowerCase().replace(/ß/g, "ss").replace(/ς/g, "σ");
}

function wordsOf(query) {
  return [...new Set(folded(query.slice(0, MOST_NAME)).split(/\s+/).filter(Boolean))];
}

// Where the words stand in a text, as [from, to] of the text as it is, in order and apart
function placesOf(text, words) {
  const { plain, origin } = foldedWithOrigin(text);
  const places = [];
  for (const word of words) {
    for (let at = plain.indexOf(word); at >= 0; at = plain.indexOf(word, at + word.length)) {
      places.push([origin[at], origin[at + word.length - 1] + 1]);
    }
  }
  return apart(places, text);
}

// For each sign of the folded text, which sign of the text it comes from
function foldedWithOrigin(text) {
  const origin = [];
  let plain = "";
  let at = 0;
  for (const sign of text) {
    const part = folded(sign);
    plain += part;
    for (let count = 0; count < part.length; count += 1) origin.push(at);
    at += sign.length;
  }
  return { plain, origin };
}

function apart(places, text) {
  places.sort((left, right) => left[0] - right[0] || left[1] - right[1]);
  const merged = [];
  for (const [from, to] of places) {
    const end = wholeSign(text, to);
    const last = merged[merged.length - 1];
    if (last && from <= last[1]) last[1] = Math.max(last[1], end);
    else merged.push([from, end]);
  }
  return merged;
}

// Never between the halves of a sign, nor between a letter and its accent
function wholeSign(text, at) {
  let end = at;
  if (/[\udc00-\udfff]/.test(text.charAt(end))) end += 1;
  while (end < text.length && /\p{M}/u.test(text.charAt(end))) end += 1;
  return end;
}
