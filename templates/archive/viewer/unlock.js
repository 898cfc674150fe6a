// What the person types or chooses -> keys -> opened rooms, with what went how.

class Unlock {
  constructor(archive, opened) {
    this.archive = archive;
    this.opened = opened; // called when rooms were opened
    this.busy = false;
    byId("key-form").addEventListener("submit", (event) => this.submit(event, () => this.withKey()));
    byId("file-form").addEventListener("submit", (event) => this.submit(event, () => this.withFile()));
    byId("reveal").addEventListener("change", () => this.reveal());
  }

  reveal() {
    const type = byId("reveal").checked ? "text" : "password";
    byId("key").type = type;
    byId("passphrase").type = type;
  }

  async submit(event, keys) {
    event.preventDefault();
    if (this.busy) return;
    this.busy = true;
    say("unlock-status", word("opening"));
    try {
      await keys();
      await this.openAll();
    } catch (error) {
      sayProblem("unlock-status", error);
    } finally {
      this.busy = false;
      byId("progress").hidden = true;
    }
  }

  async withKey() {
    const typed = byId("key").value.trim();
    byId("key").value = "";
    if (typed === "") throw new Problem("nothing-typed");
    const { backups, accountData } = await this.secrets();
    for (const { version, key } of await openBackups(backups, accountData, typed)) this.archive.vault.keys.set(version, key);
  }

  async secrets() {
    const scripts = this.archive.own.of("secrets");
    const data = scripts.length > 0 ? await this.archive.own.load(scripts[0]) : mapping(null);
    const backups = Array.isArray(data.backups) ? data.backups.map(mapping) : [];
    if (backups.length === 0) throw new Problem("no-backup");
    return { backups, accountData: mapping(data.account_data) };
  }

  async withFile() {
    const passphrase = byId("passphrase").value;
    const [chosen] = byId("file").files;
    if (!chosen) throw new Problem("no-file-chosen");
    const sessions = await openKeyFile(await chosen.text(), passphrase);
    byId("file-form").reset();
    const held = sessions.map(mapping).filter((each) => {
      return this.archive.vault.add(each.room_id, each.session_id, each.algorithm, each.session_key);
    });
    if (held.length === 0) throw new Problem("empty-key-file");
  }

  async openAll() {
    const { archive } = this;
    const progress = byId("progress");
    const rooms = archive.encryptedRooms(archive.own);
    const scripts = rooms.flatMap((room) => archive.own.of("events", room));
    progress.max = Math.max(1, scripts.reduce((sum, script) => sum + (script.events || 0), 0));
    progress.value = 0;
    progress.hidden = false;
    await archive.open(archive.own, async (some) => {
      progress.value += some;
      await breathe();
    });
    this.tell([...archive.rooms.values()].filter((room) => room.volume === archive.own));
    this.opened();
  }

  // How many were opened, and why the others were not
  tell(rooms) {
    const sum = (numbers) => numbers.reduce((all, number) => all + number, 0);
    const all = sum(rooms.map((room) => room.sealed));
    const opened = sum(rooms.map((room) => room.opened));
    const why = new Map();
    for (const room of rooms) {
      for (const [code, count] of room.why) why.set(code, (why.get(code) || 0) + count);
    }
    const reasons = [...why].map(([code, n]) => word(`closed-${code}`, { n }));
    say("unlock-status", [word("opened", { n: opened, all }), ...reasons].join(" "), opened === 0);
  }
}

// The keys of the backups that what was typed opens: [{version, key}]; a Problem says why none
async function openBackups(backups, accountData, typed) {
  const key = recoveryKey(typed);
  if (!key && !hasPassphrase(accountData)) throw new Problem("not-a-key");
  const stored = await backupKeyInStorage(accountData, key, typed);
  if (stored) {
    const found = await backupsOf(backups, stored);
    if (found.length === 0) throw new Problem("other-backup");
    return found;
  }
  const direct = key ? await backupsOf(backups, key) : []; // older clients gave out the backup's own key
  if (direct.length === 0) throw new Problem(key ? "wrong-key" : "wrong-phrase");
  return direct;
}
