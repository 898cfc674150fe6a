// The index: every text of the volumes that were loaded, folded once.

const NOT_SOUGHT = new Set(["encrypted", "redacted"]);

class Index {
  constructor() {
    this.entries = [];
    this.loaded = new Set(); // files whose lines are in it
  }

  // A line of a data file; encrypted ones come with "addOpened"
  addLines(volume, room, lines) {
    for (const line of lines) {
      const text = line && line.s;
      if (typeof text !== "string" || text === "" || NOT_SOUGHT.has(line.k)) continue;
      this.entries.push(entry(volume, room, text, line.t, line.p, line.n));
    }
  }

  // What decryption showed; "line" leads into the conversation
  addOpened(volume, room, items) {
    for (const item of items) {
      const text = [item.name, item.text].filter(Boolean).join(" ");
      if (!item.opened || text === "") continue;
      this.entries.push(entry(volume, room, text, item.t, item.page, item.n, item));
    }
  }

  // Before a room is decrypted again, with more keys
  dropOpened(volume, room) {
    this.entries = this.entries.filter((each) => !each.item || each.volume !== volume || each.room !== room);
  }

  // Entries that hold all words, newest first; "from" and "to" in milliseconds, or null
  find(words, room, from, to) {
    const found = [];
    for (const each of this.entries) {
      if (room !== null && each.room !== room) continue;
      if ((from !== null && !(each.t >= from)) || (to !== null && !(each.t < to))) continue;
      if (holds(each.plain, words)) found.push(each);
    }
    return found.sort((left, right) => (right.t || 0) - (left.t || 0) || right.n - left.n);
  }
}

function holds(plain, words) {
  for (const word of words) {
    if (!plain.includes(word)) return false;
  }
  return true;
}

function entry(volume, room, text, t, page, n, item) {
  return { volume, room, text, plain: folded(text.slice(0, MOST_TEXT)), t: moment(t), page, n, item: item || null };
}

// A piece of a text around its first hit: [{text, hit}]
function snippet(text, words, around) {
  const shown = safe(text, MOST_TEXT).replace(/\s+/g, " ");
  const places = placesOf(shown, words);
  const first = places.length > 0 ? places[0][0] : 0;
  const from = wholeSign(shown, Math.max(0, first - around));
  const to = wholeSign(shown, Math.min(shown.length, first + around * 2));
  const pieces = from > 0 ? [{ text: "… ", hit: false }] : [];
  let at = from;
  for (const [start, end] of places.filter((each) => each[0] >= from && each[1] <= to)) {
    pieces.push({ text: shown.slice(at, start), hit: false }, { text: shown.slice(start, end), hit: true });
    at = end;
  }
  pieces.push({ text: shown.slice(at, to) + (to < shown.length ? " …" : ""), hit: false });
  return pieces.filter((piece) => piece.text !== "");
}
