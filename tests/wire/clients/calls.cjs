// Reads calls, one JSON object a line, makes them with `call`, and prints what came of each, one line a call.
const readline = require("node:readline");

module.exports = async function calls(call) {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    let said;
    try {
      said = await call(JSON.parse(line));
    } catch (error) {
      said = { thrown: String(error), status: error.statusCode ?? null, body: error.body ?? null };
    }
    console.log(JSON.stringify(said));
  }
};
