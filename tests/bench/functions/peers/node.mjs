// Answers each request with what the function makes of its body. Arguments: PORT
import { createServer } from "node:http";
import { handle } from "./handler.mjs";

createServer(async (request, response) => {
  const parts = [];
  for await (const part of request) parts.push(part);
  const answer = JSON.stringify(handle(JSON.parse(Buffer.concat(parts).toString())));
  response.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(answer) });
  response.end(answer);
}).listen(Number(process.argv[2]), "127.0.0.1");
