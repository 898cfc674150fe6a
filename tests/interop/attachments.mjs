// Encrypted attachments with WebCrypto, as a client in a browser does it (client-server spec, "Sending encrypted attachments").
import { Buffer } from "node:buffer";
import { readFile, writeFile } from "node:fs/promises";

const { subtle } = globalThis.crypto;
const AES = (counter) => ({ name: "AES-CTR", counter, length: 64 });

const unpadded = (bytes) => Buffer.from(bytes).toString("base64").replace(/=+$/, "");
const sha256 = async (bytes) => new Uint8Array(await subtle.digest("SHA-256", bytes));

export class HttpError extends Error {
    constructor(status) {
        super(`HTTP ${status}`);
        this.code = "HTTP";
        this.status = status;
    }
}

/** Encrypt the file at `path`; returns the ciphertext and the `file` member without its `url`. */
export async function encryptFile(path) {
    const plain = await readFile(path);
    const key = await subtle.generateKey({ name: "AES-CTR", length: 256 }, true, ["encrypt", "decrypt"]);
    const counter = new Uint8Array(16); // the lower 64 bits count blocks and start at zero
    globalThis.crypto.getRandomValues(counter.subarray(0, 8));
    const cipher = new Uint8Array(await subtle.encrypt(AES(counter), key, plain));
    const file = {
        v: "v2",
        key: await subtle.exportKey("jwk", key),
        iv: unpadded(counter),
        hashes: { sha256: unpadded(await sha256(cipher)) },
    };
    return { cipher, file, size: plain.length, sha256: Buffer.from(await sha256(plain)).toString("hex") };
}

/** Download (authenticated media, MSC3916), check the ciphertext's hash, decrypt, write to `path`. */
export async function downloadFile(homeserver, token, file, path) {
    const [, server, media] = /^mxc:\/\/([^/]+)\/([^/]+)$/.exec(file.url);
    const answer = await fetch(`${homeserver}/_matrix/client/v1/media/download/${server}/${media}`, {
        headers: { Authorization: `Bearer ${token}` },
    });
    const cipher = new Uint8Array(await answer.arrayBuffer());
    if (!answer.ok) throw new HttpError(answer.status);
    if (unpadded(await sha256(cipher)) !== file.hashes.sha256.replace(/=+$/, "")) {
        throw Object.assign(new Error("the ciphertext's hash is not the stated one"), { code: "BAD_HASH" });
    }
    const key = await subtle.importKey("jwk", file.key, { name: "AES-CTR" }, false, ["decrypt"]);
    const counter = new Uint8Array(Buffer.from(file.iv, "base64"));
    const plain = new Uint8Array(await subtle.decrypt(AES(counter), key, cipher));
    await writeFile(path, plain);
    return { size: plain.length, sha256: Buffer.from(await sha256(plain)).toString("hex") };
}
