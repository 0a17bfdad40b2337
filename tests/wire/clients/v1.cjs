// Calls @azure/cognitiveservices-personalizer. A call: {endpoint, key, operation, arguments}.
const { PersonalizerClient } = require("@azure/cognitiveservices-personalizer");
const { ApiKeyCredentials } = require("@azure/ms-rest-js");
const calls = require("./calls.cjs");

calls(async (told) => {
  const credentials = new ApiKeyCredentials({ inHeader: { "Ocp-Apim-Subscription-Key": told.key } });
  const client = new PersonalizerClient(credentials, told.endpoint);
  const names = told.operation.split(".");
  const name = names.pop();
  const owner = names.reduce((object, member) => object[member], client);
  const answer = await owner[name](...told.arguments);
  return { status: answer._response.status, body: answer };
});
