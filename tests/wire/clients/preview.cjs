// Calls @azure-rest/ai-personalizer. A call: {endpoint, key, method, path, arguments, options, upload, download}.
// `upload` is a body in base64; with `download` the body is answered in base64.
const { buffer } = require("node:stream/consumers");
const { AzureKeyCredential } = require("@azure/core-auth");
const { default: createPersonalizerClient, isUnexpected } = require("@azure-rest/ai-personalizer");
const calls = require("./calls.cjs");

calls(async (told) => {
  const client = createPersonalizerClient(told.endpoint, new AzureKeyCredential(told.key), {
    allowInsecureConnection: true,
  });
  const options = told.options ?? {};
  if (told.upload !== undefined) {
    options.body = Buffer.from(told.upload, "base64");
    options.headers = { "content-type": "application/octet-stream" };
  }
  const asked = client.path(told.path, ...(told.arguments ?? []))[told.method.toLowerCase()](options);
  const response = await (told.download ? asked.asNodeStream() : asked);
  const body = told.download ? (await buffer(response.body)).toString("base64") : response.body;
  return {
    status: Number(response.status),
    unexpected: isUnexpected(response),
    headers: response.headers,
    body: body ?? null,
  };
});
