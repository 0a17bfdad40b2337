// Both clients with a bearer token, by HTTPS; prints what came back as JSON. The client of v1.0 drops a path that is
// in the endpoint, so that it names the loop by the host; the other one by the path.
const dns = require("node:dns");
const { PersonalizerClient } = require("@azure/cognitiveservices-personalizer");
const { TokenCredentials } = require("@azure/ms-rest-js");
const { default: createPersonalizerClient } = require("@azure-rest/ai-personalizer");

const [byHost, byPath, token, wrong] = process.argv.slice(2);
const lookup = dns.lookup;
dns.lookup = (name, options, done) => lookup(name.endsWith(".sartor.test") ? "127.0.0.1" : name, options, done);
const actions = [
  { id: "pasta", features: [{ taste: "salty" }] },
  { id: "juice", features: [{ taste: "sweet" }] },
];

async function main() {
  const client = new PersonalizerClient(new TokenCredentials(token), byHost);
  const ranked = await client.rank({ actions, eventId: "a/b é", deferActivation: true });
  const activated = await client.events.activate("a/b é");
  const rewarded = await client.events.reward("a/b é", { value: 0.5 });
  const statuses = [ranked, activated, rewarded].map((answer) => answer._response.status);
  const refused = await new PersonalizerClient(new TokenCredentials(wrong), byHost)
    .rank({ actions })
    .catch((error) => ({ status: error.statusCode, code: error.body.error.code }));
  const credential = { getToken: async () => ({ token, expiresOnTimestamp: Date.now() + 600_000 }) };
  const preview = await createPersonalizerClient(byPath, credential)
    .path("/rank")
    .post({ body: { actions, eventId: "preview" } });
  console.log(JSON.stringify({ statuses, refused, preview: Number(preview.status), chosen: ranked.rewardActionId }));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
