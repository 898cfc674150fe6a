// Runs the page's own script in Node: one line of JSON in, [document, public key] or [code, user ID]; one line out.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";

const script = readFileSync(process.argv[2], "utf-8");
const { verify, subjectOf, ReceiptError } = new Function(script + "\nreturn { verify, subjectOf, ReceiptError };")();

for await (const line of createInterface({ input: process.stdin })) {
  const { ask, first, second } = JSON.parse(line);
  let answer;
  try {
    answer = ask === "verify" ? { said: await verify(first, second) } : { subject: await subjectOf(first, second) };
  } catch (error) {
    if (!(error instanceof ReceiptError)) throw error;
    answer = { code: error.code };
  }
  process.stdout.write(JSON.stringify(answer) + "\n");
}
