// All keys that are open, and what they open. Nothing of it is ever stored: it is gone when the page is closed.

const AT_ONCE = 1000; // events between two breaths of the page: some 100 ms, of which a breath takes 4

class Vault {
  constructor() {
    this.sessions = new Map(); // room and session -> Session, that with the lowest index
    this.sealed = new Map(); // the same -> {key, entry}: in a backup whose key is known, opened when wanted
    this.keys = new Map(); // version of a backup -> its private key
    this.used = new Map(); // room, session and index -> event ID: a message that comes twice is a forgery
  }

  // A session of a key file or a backup; whether it is one that can be used
  add(roomId, id, algorithm, exported) {
    if (algorithm !== MEGOLM || typeof roomId !== "string" || typeof id !== "string") return false;
    try {
      const session = new Session(fromBase64(exported), id);
      const name = place(roomId, id);
      const held = this.sessions.get(name);
      if (!held || session.first.index < held.first.index) this.sessions.set(name, session);
      return true;
    } catch {
      return false; // no session, or not the one it says
    }
  }

  // What a file of the volume brings of a room's backup: {room_id, sessions: {version: {session_id: entry}}}
  addBackedUp(data) {
    const versions = mapping(data.sessions);
    for (const version of Object.keys(versions)) {
      const key = this.keys.get(version);
      if (!key) continue;
      const entries = mapping(versions[version]);
      for (const id of Object.keys(entries)) {
        const name = place(data.room_id, id);
        if (!this.sealed.has(name)) this.sealed.set(name, []);
        this.sealed.get(name).push({ key, entry: entries[id] });
      }
    }
  }

  // The session, if there is a key for it
  async session(roomId, id) {
    const name = place(roomId, id);
    const sealed = this.sealed.get(name) || [];
    this.sealed.delete(name);
    for (const { key, entry } of sealed) {
      try {
        const found = await openBackedUp(key, entry);
        this.add(roomId, id, found.algorithm, found.session_key);
      } catch {
        continue; // a damaged entry of the backup: the session is missing
      }
    }
    return this.sessions.get(name);
  }

  // Lines of a room's data with "e" -> what is shown of each, in their order
  async open(roomId, lines, progress) {
    const sessions = await this.sessionsOf(roomId, lines);
    const shown = [];
    for (let at = 0; at < lines.length; at += AT_ONCE) {
      const some = lines.slice(at, at + AT_ONCE).map((line) => this.openLine(roomId, line, sessions));
      shown.push(...(await Promise.all(some)));
      await progress(some.length);
    }
    return shown;
  }

  async sessionsOf(roomId, lines) {
    const ids = [...new Set(lines.map((line) => mapping(mapping(line.e).content).session_id))];
    const strings = ids.filter((id) => typeof id === "string");
    const sessions = new Map();
    for (let at = 0; at < strings.length; at += AT_ONCE) {
      const some = strings.slice(at, at + AT_ONCE);
      const found = await Promise.all(some.map((id) => this.session(roomId, id)));
      some.forEach((id, which) => sessions.set(id, found[which]));
    }
    return sessions;
  }

  // Whatever stands in the line: one that nobody can read must not keep the others closed
  async openLine(roomId, line, sessions) {
    try {
      const event = mapping(line.e);
      const content = mapping(event.content);
      if (mapping(event.unsigned).redacted_because) return redactedShown(line);
      if (content.algorithm !== MEGOLM) throw new Problem("unsupported");
      const session = sessions.get(content.session_id);
      if (!session) throw new Problem("missing");
      const message = parsedMessage(content.ciphertext);
      const payload = payloadOf(await openMessage(session, message), roomId);
      this.once(`${place(roomId, content.session_id)} ${message.index}`, event.event_id);
      return openedShown(line, payload);
    } catch (error) {
      return closedShown(line, error instanceof Problem ? error.code : "broken");
    }
  }

  once(name, eventId) {
    if (this.used.has(name) && this.used.get(name) !== eventId) throw new Problem("repeated");
    this.used.set(name, eventId);
  }
}

function place(roomId, sessionId) {
  return `${roomId} ${String(sessionId).replace(/=+$/, "")}`;
}

function payloadOf(bytes, roomId) {
  const payload = mapping(JSON.parse(fromUtf8(bytes)));
  if (payload.room_id !== roomId) throw new Problem("other-room");
  return payload;
}

function redactedShown(line) {
  const item = blank(line);
  item.kind = "redacted";
  return item;
}
