// Runs the program's parts without a page in Node: one line of JSON in, {ask, given}; one out, what was said or the code.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";

const NAMES = ["Problem", "Sha256", "Hmac", "hkdf", "openCbc", "Session", "Vault", "openBackups", "openKeyFile", "openAttachment"];
NAMES.push("zipEntries", "zipEntry", "harmlessName", "conversation", "folded", "snippet", "wordsOf", "saidNow", "saidBefore");
const script = readFileSync(process.argv[2], "utf-8");
const part = new Function(`"use strict";\n${script}\nreturn { ${NAMES.join(", ")} };`)();

const bytes = (text) => new Uint8Array(Buffer.from(text, "base64"));
const base64 = (made) => Buffer.from(made).toString("base64");

const asks = {
  hashes: ({ of }) => of.map((data) => base64(new part.Sha256().add(bytes(data)).digest())),
  pieces: ({ pieces }) => base64(pieces.reduce((hash, data) => hash.add(bytes(data)), new part.Sha256()).digest()),
  macs: ({ of }) => of.map(([key, data]) => base64(new part.Hmac(bytes(key)).of(bytes(data)))),
  hkdf: ({ secret, info, length }) => base64(part.hkdf(bytes(secret), bytes(info), length)),
  cbc: ({ key, iv, of }) => of.map((data) => base64(part.openCbc(bytes(key), bytes(iv), bytes(data)))),
  ratchets({ key, id, indexes }) {
    const session = new part.Session(bytes(key), id);
    return indexes.map((index) => {
      session.keys(index);
      return base64(session.now.parts);
    });
  },
  async read({ typed, secrets, backedUp, file, passphrase, room, lines }) {
    const vault = new part.Vault();
    if (typed) {
      for (const { version, key } of await part.openBackups(secrets.backups, secrets.account_data, typed)) vault.keys.set(version, key);
      vault.addBackedUp(backedUp);
    }
    if (file) {
      const sessions = await part.openKeyFile(file, passphrase);
      for (const each of sessions) vault.add(each.room_id, each.session_id, each.algorithm, each.session_key);
    }
    const shown = await vault.open(room, lines, async () => {});
    return shown.map(({ kind, text, name, why, opened, target }) => ({ kind, text, name, why, opened, target }));
  },
  unlock: async ({ secrets, typed }) => (await part.openBackups(secrets.backups, secrets.account_data, typed)).map((each) => each.version),
  keyFile: ({ file, passphrase }) => part.openKeyFile(file, passphrase),
  async attachment({ data, sealed }) {
    const clear = await part.openAttachment(new Blob([bytes(data)]), sealed);
    return base64(await clear.arrayBuffer());
  },
  async zip({ data }) {
    const blob = new Blob([bytes(data)]);
    const held = {};
    for (const found of await part.zipEntries(blob)) held[found.name] = base64(await (await part.zipEntry(blob, found)).arrayBuffer());
    return held;
  },
  names: ({ of }) => of.map((name) => part.harmlessName(name)),
  snippet: ({ text, query }) => part.snippet(text, part.wordsOf(query), 20),
};

for await (const line of createInterface({ input: process.stdin })) {
  const { ask, given } = JSON.parse(line);
  let answer;
  try {
    answer = { said: await asks[ask](given) };
  } catch (error) {
    answer = error instanceof part.Problem ? { code: error.code } : { fault: String(error) };
  }
  process.stdout.write(JSON.stringify(answer) + "\n");
}
