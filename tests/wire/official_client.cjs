// Calls every operation of @azure/cognitiveservices-personalizer and prints what came back, as one JSON object.
const { PersonalizerClient } = require("@azure/cognitiveservices-personalizer");
const { ApiKeyCredentials } = require("@azure/ms-rest-js");

const [endpoint, key] = process.argv.slice(2);

function connect(withKey) {
  const credentials = new ApiKeyCredentials({ inHeader: { "Ocp-Apim-Subscription-Key": withKey } });
  return new PersonalizerClient(credentials, endpoint);
}

const actions = [
  { id: "pasta", features: [{ taste: "salty" }, { level: 9 }] },
  { id: "ice cream", features: [{ taste: "sweet", vector: [0.5, -1] }] },
  { id: "juice", features: [{ taste: "sweet", nested: { fresh: true } }] },
];

async function refusal(promise) {
  try {
    await promise;
    return null;
  } catch (error) {
    return { status: error.statusCode, code: error.body.error.code, message: error.body.error.message };
  }
}

async function main() {
  const client = connect(key);
  const ranked = await client.rank({
    contextFeatures: [{ timeOfDay: "morning" }],
    actions,
    excludedActions: ["pasta"],
    eventId: "a/b é 🧵",
    deferActivation: true,
  });
  const made = await client.rank({ actions });
  const activated = await client.events.activate("a/b é 🧵");
  const rewarded = await client.events.reward("a/b é 🧵", { value: 0.75 });
  const statuses = [ranked, made, activated, rewarded].map((answer) => answer._response.status);
  const empty = await refusal(client.rank({ actions: [] }));
  const unknown = await refusal(connect("wrong").rank({ actions }));
  const notNumber = await refusal(client.events.reward("e", { value: 1e999 }));
  console.log(JSON.stringify({ ranked, made, statuses, empty, unknown, notNumber }));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
