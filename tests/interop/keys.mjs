// The client's message keys as a file (spec "Key export format"), written by the SDK's own crypto.
import { writeFile } from "node:fs/promises";
import { OlmMachine } from "@matrix-org/matrix-sdk-crypto-wasm";

const ROUNDS = 10_000; // of PBKDF2; Element takes 500,000, and nobody attacks this file

/** Write all keys that the client has; return how many. */
export async function exportKeys(client, path, passphrase) {
    const keys = await client.getCrypto().exportRoomKeysAsJson();
    await writeFile(path, OlmMachine.encryptExportedRoomKeys(keys, passphrase, ROUNDS), { mode: 0o600 });
    return JSON.parse(keys).length;
}
