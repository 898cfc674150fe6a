// AES as WebCrypto has it.

async function aesCbc(key, iv, ciphertext) {
  const aes = await crypto.subtle.importKey("raw", key, "AES-CBC", false, ["decrypt"]);
  return new Uint8Array(await crypto.subtle.decrypt({ name: "AES-CBC", iv }, aes, ciphertext));
}

// Counter mode opens as it closes
async function aesCtr(key, counter, bytes) {
  const aes = await crypto.subtle.importKey("raw", key, "AES-CTR", false, ["decrypt"]);
  return new Uint8Array(await crypto.subtle.decrypt({ name: "AES-CTR", counter, length: 128 }, aes, bytes));
}
