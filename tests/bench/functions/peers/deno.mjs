// Answers each request with what the function makes of its body. Arguments: PORT
import { handle } from "./handler.mjs";

Deno.serve({ port: Number(Deno.args[0]), hostname: "127.0.0.1", onListen() {} }, async (request) =>
  Response.json(handle(await request.json())));
