// Answers each request with what the function makes of its body.
import { handle } from "handler.mjs";

export default {
  async fetch(request) {
    return Response.json(handle(await request.json()));
  },
};
